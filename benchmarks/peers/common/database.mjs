// The connections.
import pg from 'pg'

/**
 * `pool`: so many connections, opened now. `query` runs a named statement, prepared once on each of them, and
 * returns its rows.
 */
export async function connect (url, size) {
  const pool = new pg.Pool({ connectionString: url, min: size, max: size, idleTimeoutMillis: 0 })
  const clients = await Promise.all(Array.from({ length: size }, () => pool.connect()))
  for (const client of clients) client.release()
  const query = async (statement, values) => (await pool.query({ ...statement, values })).rows
  return { pool, query }
}
