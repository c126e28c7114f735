// What the harness gives each contestant (benchmarks/contestants.py).
import { readFileSync } from 'node:fs'

function given (name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: start this by the harness`)
  return value
}

export const settings = {
  host: '127.0.0.1',
  port: Number(given('BENCH_PORT')),
  connections: Number(given('BENCH_CONNECTIONS')),
  publicKey: readFileSync(given('BENCH_PUBLIC_KEY'), 'utf8'),
  issuer: given('BENCH_ISSUER'),
  audience: given('BENCH_AUDIENCE')
}

/** How many documents are remembered: the bound that holds for every contestant. */
export const DOCUMENTS = 1_000

/** The largest page. */
export const LARGEST_PAGE = 500

/** The size of a page when the caller does not say. */
export const DEFAULT_PAGE = 20
