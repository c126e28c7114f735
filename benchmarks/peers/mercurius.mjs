// Mercurius with its JIT, on Fastify.
import { readFile } from 'node:fs/promises'

import Fastify from 'fastify'
import mercurius from 'mercurius'

import { authenticator } from './common/callers.mjs'
import { connect } from './common/database.mjs'
import { members } from './common/members.mjs'
import { DOCUMENTS, settings } from './common/settings.mjs'

const { profile, page, correct, standing } = members(await connect(settings.connections))
const authenticate = await authenticator(settings, standing)

class Refused extends Error {
  statusCode = 401
}

const resolvers = {
  Query: {
    me: (_, __, { caller }) => caller.member === undefined ? null : profile(caller.member),
    members: (_, { first, after }, { caller }) => caller.partner === undefined ? null : page(caller, first, after)
  },
  Mutation: {
    correctProfile: (_, { input }, { caller }) => caller.member === undefined ? null : correct(caller.member, input)
  }
}

const app = Fastify({ logger: false })

app.get('/healthz', async () => 'ok')

app.register(mercurius, {
  schema: await readFile(new URL('./common/schema.graphql', import.meta.url), 'utf8'),
  resolvers,
  jit: 1,
  // The database's values have their types already.
  compilerOptions: { disableLeafSerialization: true, disablingCapturingStackErrors: true },
  cache: DOCUMENTS,
  graphiql: false,
  context: async ({ headers }) => {
    const caller = await authenticate(headers.authorization)
    if (caller === null) throw new Refused('the token is not valid')
    return { caller }
  }
})

await app.listen({ host: settings.host, port: settings.port })
