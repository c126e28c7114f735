// Who asks. In: the header `Authorization`. Out: a caller, or null, which is to be answered with 401.
//
// A token's signature, type, issuer, audience and times are checked once and remembered, as is the standing of its
// client. `exp` is looked at each time. A hit costs one look into a map and no promise.
import { importSPKI, jwtVerify } from 'jose'

const MOST_TOKENS = 10_000
const LEEWAY = 30 // seconds

/**
 * The function that authenticates. `standing` finds what a partner's client may see:
 * `{ agreement, mask }`, or null.
 */
export async function authenticator ({ publicKey, issuer, audience }, standing) {
  const key = await importSPKI(publicKey, 'EdDSA')
  const known = new Map()

  async function verified (header) {
    try {
      const { payload } = await jwtVerify(header.slice('Bearer '.length), key, {
        algorithms: ['EdDSA'],
        typ: 'at+jwt',
        issuer,
        audience,
        clockTolerance: LEEWAY,
        requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'client_id']
      })
      const caller = await callerOf(payload)
      if (caller !== null) remember(header, caller)
      return caller
    } catch {
      return null
    }
  }

  async function callerOf ({ kind, sub, client_id: client, exp }) {
    const until = (exp + LEEWAY) * 1_000
    if (kind === 'member') return { member: sub, until }
    if (kind !== 'partner') return null
    const found = await standing(client)
    return found === null ? null : { partner: client, ...found, until }
  }

  function remember (header, caller) {
    if (known.size >= MOST_TOKENS) known.delete(known.keys().next().value)
    known.set(header, caller)
  }

  return (header) => {
    const caller = known.get(header)
    if (caller !== undefined) {
      if (Date.now() < caller.until) return caller
      known.delete(header)
      return null
    }
    return header?.startsWith('Bearer ') ? verified(header) : null
  }
}
