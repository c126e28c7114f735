// What the root fields answer, as plain objects whose names are those of the schema.
import { DEFAULT_PAGE, LARGEST_PAGE } from './settings.mjs'
import { CORRECTION, PAGE, PROFILE, STANDING } from './statements.mjs'

const BEGINNING = '00000000-0000-0000-0000-000000000000'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const NO_MORE = { hasNextPage: false, endCursor: null }

/** Reads and commands over a `query(statement, values)` that returns rows. */
export function members (query) {
  return {
    async standing (client) {
      const [row] = await query(STANDING, [client])
      return row === undefined ? null : { agreement: row[0], mask: Number(row[1]) }
    },

    async profile (member) {
      return profile(await query(PROFILE, [member]))
    },

    async correct (member, input) {
      return { errors: [], me: profile(await query(CORRECTION, correction(member, input))) }
    },

    async page ({ agreement, mask }, first, after) {
      const size = first ?? DEFAULT_PAGE
      if (size < 0 || size > LARGEST_PAGE) throw new Error('`first` is out of bounds')
      return page(await query(PAGE, [agreement, mask, position(after), size + 1]), size)
    }
  }
}

/** What a correction is run with: interests are stored each once, in order. */
export function correction (member, { givenName, familyName, interests }) {
  const stored = interests == null ? null : [...new Set(interests)].sort()
  return [member, givenName ?? null, familyName ?? null, stored]
}

function profile (rows) {
  if (rows.length === 0) return null
  const [number, givenName, familyName, email, birthDate, region, interests] = rows[0]
  const edges = []
  for (const [,,,,,,, line1, line2, city, postalCode, country] of rows) {
    if (line1 !== null) edges.push({ node: { line1, line2, city, postalCode, country } })
  }
  const addresses = { edges, pageInfo: NO_MORE }
  return { number, givenName, familyName, email, birthDate, region, interests, addresses }
}

function page (rows, size) {
  const hasNextPage = rows.length > size
  if (hasNextPage) rows.pop()
  const edges = new Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const [id, name, email, region, ageBand, interests, city, country] = rows[index]
    const address = city === null ? null : { city, country }
    edges[index] = { node: { id, name, email, region, ageBand, interests, address } }
  }
  const endCursor = rows.length === 0 ? null : cursor(rows[rows.length - 1][0])
  return { edges, pageInfo: { hasNextPage, endCursor } }
}

function cursor (subject) {
  return Buffer.from(subject).toString('base64url')
}

function position (after) {
  if (after == null) return BEGINNING
  const subject = Buffer.from(after, 'base64url').toString()
  if (!UUID.test(subject)) throw new Error('`after` is not a cursor of this list')
  return subject
}
