// The statements that Mercurius and Apollo Server share: one for each root field. What a member withholds is not
// fetched. Dates leave the database as texts, for that is what they leave the server as.

export const STANDING = 'SELECT agreement_id, mask FROM bench.standing WHERE client_id = $1'

const ADDRESSES = `
  LEFT JOIN postal_address AS address ON address.member_id = member.id
  ORDER BY address.created_at, address.id
  LIMIT 20`

const PROFILE_COLUMNS = `
  member.number, member.given_name, member.family_name, member.email, member.birth_date::text, member.region,
  member.interests,
  address.line1, address.line2, address.city, address.postal_code, address.country`

/** One row for each address, one without an address where there is none. $1: the member's id. */
export const PROFILE = `SELECT ${PROFILE_COLUMNS} FROM (SELECT * FROM member WHERE id = $1) AS member ${ADDRESSES}`

/**
 * The members that an agreement shows, in the order of their pairwise ids. $1: the agreement, $2: what the contract
 * opens, $3: after this pairwise id, $4: how many rows. LIMIT stands in the innermost query, or the planner may walk
 * all members.
 */
export const PAGE = `SELECT
    page.subject,
    CASE WHEN page.mask & 1 <> 0 THEN concat_ws(' ', member.given_name, member.family_name) END,
    CASE WHEN page.mask & 8 <> 0 THEN member.email END,
    CASE WHEN page.mask & 1024 <> 0 THEN member.region END,
    CASE WHEN page.mask & 2048 <> 0 THEN
      (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(
        extract(year FROM age(current_date, member.birth_date))::integer, ARRAY[18, 25, 35, 45, 55, 65])] END,
    CASE WHEN page.mask & 4096 <> 0 THEN member.interests END,
    CASE WHEN page.mask & 64 <> 0 THEN address.city END,
    CASE WHEN page.mask & 512 <> 0 THEN address.country END
  FROM (
    SELECT subject, member_id, mask & $2::bigint AS mask FROM share
    WHERE agreement_id = $1 AND subject > $3 AND mask & $2::bigint <> 0 AND (ends_at IS NULL OR now() < ends_at)
    ORDER BY subject LIMIT $4
  ) AS page
  JOIN member ON member.id = page.member_id
  LEFT JOIN postal_address AS address
    ON address.member_id = member.id AND address.is_primary AND page.mask & 16 <> 0
  ORDER BY page.subject`

/**
 * Corrects a member and tells each partner that sees what was corrected: one statement, so one transaction.
 * $1: the member's id, $2 to $4: the values, null for what stays. `given_name` is bit 1, `family_name` bit 2, a name as
 * a whole bit 0, `interests` bit 12.
 */
const CORRECTING = `
  WITH member AS (
    UPDATE member SET given_name = coalesce($2, given_name), family_name = coalesce($3, family_name),
      interests = coalesce($4, interests), updated_at = now(), version = version + 1
    WHERE id = $1 RETURNING *
  ), told AS (
    INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)
    SELECT share.agreement_id, share.subject, share.mask & what.mask, share.mask, share.mask, now()
    FROM member JOIN share ON share.member_id = member.id,
      (SELECT CASE WHEN $2::text IS NULL THEN 0 ELSE 3 END | CASE WHEN $3::text IS NULL THEN 0 ELSE 5 END
        | CASE WHEN $4::text[] IS NULL THEN 0 ELSE 4096 END) AS what (mask)
    WHERE share.mask & what.mask <> 0
  )`

/** The same, which returns what `PROFILE` does: one round trip. */
export const CORRECTION = `${CORRECTING} SELECT ${PROFILE_COLUMNS} FROM member ${ADDRESSES}`

/** The same, which returns nothing. */
export const CORRECTION_ALONE = `${CORRECTING} SELECT FROM member`
