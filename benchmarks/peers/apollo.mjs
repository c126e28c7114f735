// Apollo Server on Fastify, with the permissions in graphql-shield.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import util from 'node:util'

import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import { InMemoryLRUCache } from '@apollo/utils.keyvaluecache'
import fastifyApollo from '@as-integrations/fastify'
import { makeExecutableSchema } from '@graphql-tools/schema'
import Fastify from 'fastify'
import { GraphQLError } from 'graphql'

import { authenticator } from './common/callers.mjs'
import { connect } from './common/database.mjs'
import { members } from './common/members.mjs'
import { DOCUMENTS, settings } from './common/settings.mjs'

// Since Node 23 there is no `util.isUndefined`, which graphql-shield 7 calls; as a module it does not even load.
util.isUndefined ??= (value) => value === undefined
const require = createRequire(import.meta.url)
const { applyMiddleware } = require('graphql-middleware')
const { allow, deny, rule, shield } = require('graphql-shield')

const { profile, page, correct, standing } = members(await connect(settings.connections))
const authenticate = await authenticator(settings, standing)

const resolvers = {
  Query: {
    me: (_, __, { caller }) => profile(caller.member),
    members: (_, { first, after }, { caller }) => page(caller, first, after)
  },
  Mutation: {
    correctProfile: (_, { input }, { caller }) => correct(caller.member, input)
  }
}

// `contextual`: asked once a request, whatever the number of fields.
const isMember = rule('member', { cache: 'contextual' })((_, __, { caller }) => caller.member !== undefined)
const isPartner = rule('partner', { cache: 'contextual' })((_, __, { caller }) => caller.partner !== undefined)

/** That the contract opens a category. What the single member withholds of it, the statement has not fetched. */
const opens = (bit) =>
  rule(`opens ${bit}`, { cache: 'contextual' })((_, __, { caller }) => (caller.mask & bit) !== 0)

const permissions = shield({
  Query: { '*': deny, me: isMember, members: isPartner },
  Mutation: { '*': deny, correctProfile: isMember },
  Member: isMember,
  SharedMember: {
    '*': deny,
    id: isPartner,
    name: opens(1 << 0),
    email: opens(1 << 3),
    address: opens(1 << 4),
    region: opens(1 << 10),
    ageBand: opens(1 << 11),
    interests: opens(1 << 12)
  }
}, { fallbackRule: allow })

const typeDefs = await readFile(new URL('./common/schema.graphql', import.meta.url), 'utf8')

const apollo = new ApolloServer({
  schema: applyMiddleware(makeExecutableSchema({ typeDefs, resolvers }), permissions),
  introspection: false,
  persistedQueries: false,
  documentStore: new InMemoryLRUCache({ max: DOCUMENTS, maxSize: 0, sizeCalculation: undefined }),
  // Nothing of this is to be cached by others, and the plugin that says what may be looks at every field.
  plugins: [ApolloServerPluginCacheControlDisabled()],
  stopOnTerminationSignals: false
})
await apollo.start()

const app = Fastify({ logger: false })

app.get('/healthz', async () => 'ok')

await app.register(fastifyApollo(apollo), {
  context: async ({ headers }) => {
    const caller = await authenticate(headers.authorization)
    if (caller === null) throw new GraphQLError('the token is not valid', { extensions: { http: { status: 401 } } })
    return { caller }
  }
})

await app.listen({ host: settings.host, port: settings.port })
