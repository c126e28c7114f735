// PostGraphile 5 on Node's own HTTP server, by its Grafserv.
//
// It reads the tables by introspection. The types and root fields are those that everybody answers, with plans of
// ours in place of the fields that PostGraphile would make of the tables: `defaultBehavior` leaves those out.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'

import { connection, constant, context, lambda, object, SafeError } from 'grafast'
import { grafserv } from 'grafserv/node'
import { Kind, parse } from 'graphql'
import pg from 'pg'
import { postgraphile } from 'postgraphile'
import { LIST_TYPES, pgSelect, sideEffectWithPgClient, TYPES } from 'postgraphile/@dataplan/pg'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { extendSchema } from 'postgraphile/utils'

import { authenticator } from './common/callers.mjs'
import { correction, members } from './common/members.mjs'
import { DEFAULT_PAGE, DOCUMENTS, LARGEST_PAGE, settings } from './common/settings.mjs'
import { CORRECTION_ALONE } from './common/statements.mjs'

// Where to connect is in PGHOST and the like.
const pool = new pg.Pool({
  min: settings.connections,
  max: settings.connections,
  idleTimeoutMillis: 0,
  // Without these a page costs the database four times as much: it is planned each time, and its joins, which are bounded
  // by nothing but LIMIT, remember rows that do not come again.
  options: '-c plan_cache_mode=force_generic_plan -c enable_memoize=off'
})
const query = async (text, values) => (await pool.query({ text, values, rowMode: 'array' })).rows
const authenticate = await authenticator(settings, members(query).standing)

/** The shared schema, without what PostGraphile has already. */
async function schema () {
  const document = parse(await readFile(new URL('./common/schema.graphql', import.meta.url), 'utf8'))
  const definitions = document.definitions
    .filter(({ name }) => !['Date', 'PageInfo'].includes(name.value))
    .map((definition) => ['Query', 'Mutation'].includes(definition.name.value)
      ? { ...definition, kind: Kind.OBJECT_TYPE_EXTENSION }
      : definition)
  return { kind: Kind.DOCUMENT, definitions }
}
const typeDefs = await schema()

const caller = (name) => context().get('caller').get(name)

function paged ($rows, { $first, $after }) {
  const $connection = connection($rows)
  $connection.setFirst(lambda($first, size, true))
  $connection.setAfter($after)
  return $connection
}

function size (first) {
  if (first == null) return DEFAULT_PAGE
  if (first < 0 || first > LARGEST_PAGE) throw new SafeError('`first` is out of bounds')
  return first
}

const columns = (names) => Object.fromEntries(
  Object.entries(names).map(([field, column]) => [field, ($row) => $row.get(column)])
)

const plugin = extendSchema(({ sql, pgResources, pgExecutor }) => {
  const { member, share, postal_address: postalAddress } = pgResources

  /** The shares of the partner's agreement, with a mask of what the contract opens of each. */
  const shares = () => {
    const agreement = caller('agreement')
    const contract = caller('mask')
    const from = {
      callback: ($shares) => sql`(
        select subject, member_id, mask & ${$shares.placeholder(contract, TYPES.bigint)} as mask from share
        where agreement_id = ${$shares.placeholder(agreement, TYPES.uuid)} and (ends_at is null or now() < ends_at))`
    }
    return pgSelect({ resource: share, identifiers: [], from, name: 'shares' })
  }

  /** A value of the member's, where its category is open. */
  const shown = (bit, codec, value) => ($share) => {
    const $shares = $share.getClassStep()
    const row = $shares.singleRelation('memberByMyMemberId')
    return $share.select(sql`case when ${$shares.alias}.mask & ${sql.literal(bit)} <> 0 then ${value(row)} end`, codec)
  }
  const column = (name) => (row) => sql`${row}.${sql.identifier(name)}`

  const bands = sql`(array['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])`
  const ageBand = (row) => sql`${bands}[width_bucket(
    extract(year from age(current_date, ${row}.birth_date))::integer, array[18, 25, 35, 45, 55, 65])]`

  return {
    typeDefs,
    objects: {
      Query: {
        plans: {
          me: () => member.get({ id: caller('member') }),
          members: (_, args) => {
            const $shares = shares()
            $shares.where(sql`${$shares.alias}.mask <> 0`)
            $shares.orderBy({ attribute: 'subject', direction: 'ASC' })
            $shares.setOrderIsUnique()
            return paged($shares, args)
          }
        }
      },
      Mutation: {
        plans: {
          correctProfile: (_, { $input }) => {
            const $done = sideEffectWithPgClient(pgExecutor, [caller('member'), $input], async (client, [id, input]) => {
              if (id == null) return null
              await client.query({ name: 'correction', text: CORRECTION_ALONE, values: correction(id, input) })
              return id
            })
            return object({ id: $done, errors: constant([]) })
          }
        }
      },
      ProfilePayload: {
        plans: { me: ($payload) => member.get({ id: $payload.get('id') }) }
      },
      Member: {
        plans: {
          ...columns({ givenName: 'given_name', familyName: 'family_name', birthDate: 'birth_date' }),
          addresses: ($member, args) => {
            const $addresses = postalAddress.find({ member_id: $member.get('id') })
            $addresses.orderBy({ attribute: 'created_at', direction: 'ASC' })
            $addresses.orderBy({ attribute: 'id', direction: 'ASC' })
            $addresses.setOrderIsUnique()
            return paged($addresses, args)
          }
        }
      },
      PostalAddress: { plans: columns({ postalCode: 'postal_code' }) },
      SharedMember: {
        plans: {
          ...columns({ id: 'subject' }),
          name: shown(1 << 0, TYPES.text, (row) => sql`concat_ws(' ', ${row}.given_name, ${row}.family_name)`),
          email: shown(1 << 3, TYPES.text, column('email')),
          region: shown(1 << 10, TYPES.text, column('region')),
          ageBand: shown(1 << 11, TYPES.text, ageBand),
          interests: shown(1 << 12, LIST_TYPES.text, column('interests')),
          address: ($share) => {
            const $address = $share.select(sql`case when ${$share.getClassStep().alias}.mask & 16 <> 0
              then ${$share.getClassStep().alias}.member_id end`, TYPES.uuid)
            const $addresses = postalAddress.find({ member_id: $address })
            $addresses.where(sql`${$addresses.alias}.is_primary`)
            $addresses.setUnique()
            return $addresses.single()
          }
        }
      }
    }
  }
})

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [plugin],
  pgServices: [makePgService({ pool, schemas: ['public'] })],
  schema: { defaultBehavior: '-*' },
  grafserv: {
    graphiql: false,
    outputDataAsString: true,
    parseAndValidateCacheSize: DOCUMENTS
  },
  grafast: {
    explain: false,
    context: async ({ node }) => {
      const found = await authenticate(node.req.headers.authorization)
      if (found === null) throw Object.assign(new SafeError('the token is not valid'), { statusCode: 401 })
      return { caller: found }
    }
  }
})

const handle = instance.createServ(grafserv).createHandler()
const { extensions } = await instance.getSchema()
extensions.grafast = { ...extensions.grafast, operationsCacheMaxLength: DOCUMENTS }

createServer((request, response) => {
  if (request.url === '/healthz') response.end('ok')
  else handle(request, response)
}).listen(settings.port, settings.host)
