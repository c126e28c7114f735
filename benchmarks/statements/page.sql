-- $1: the agreement, $2: the mask of the contract, $3: after this subject (all zeros to begin),
-- $4: rows, one more than shown.
SELECT page.subject::text AS id,
       CASE WHEN page.mask & 1 <> 0 THEN concat_ws(' ', member.given_name, member.family_name) END AS name,
       CASE WHEN page.mask & 8 <> 0 THEN member.email END AS email,
       CASE WHEN page.mask & 1024 <> 0 THEN member.region END AS region,
       CASE WHEN page.mask & 2048 <> 0 THEN
         (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(
           extract(year FROM age(current_date, member.birth_date))::integer, ARRAY[18, 25, 35, 45, 55, 65])]
       END AS age_band,
       CASE WHEN page.mask & 4096 <> 0 THEN member.interests END AS interests,
       address.member_id IS NOT NULL AS has_address,
       CASE WHEN page.mask & 64 <> 0 THEN address.city END AS city,
       CASE WHEN page.mask & 512 <> 0 THEN address.country END AS country
FROM (
  SELECT subject, member_id, mask & $2::bigint AS mask FROM share
  WHERE agreement_id = $1 AND subject > $3 AND mask & $2::bigint <> 0 AND (ends_at IS NULL OR now() < ends_at)
  ORDER BY subject LIMIT $4
) AS page
JOIN member ON member.id = page.member_id
LEFT JOIN postal_address AS address
  ON address.member_id = member.id AND address.is_primary AND page.mask & 16 <> 0
ORDER BY page.subject
