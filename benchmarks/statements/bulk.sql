-- :agreement and :mask are put in as literals: COPY takes no parameters. One JSON object a line.
SELECT json_build_object(
  'id', page.subject,
  'name', CASE WHEN page.mask & 1 <> 0 THEN concat_ws(' ', member.given_name, member.family_name) END,
  'givenName', CASE WHEN page.mask & 2 <> 0 THEN member.given_name END,
  'familyName', CASE WHEN page.mask & 4 <> 0 THEN member.family_name END,
  'email', CASE WHEN page.mask & 8 <> 0 THEN member.email END,
  'address', CASE WHEN address.member_id IS NOT NULL THEN json_build_object(
    'line1', CASE WHEN page.mask & 32 <> 0 THEN address.line1 END,
    'line2', CASE WHEN page.mask & 32 <> 0 THEN address.line2 END,
    'city', CASE WHEN page.mask & 64 <> 0 THEN address.city END,
    'state', CASE WHEN page.mask & 128 <> 0 THEN address.state END,
    'postalCode', CASE WHEN page.mask & 256 <> 0 THEN address.postal_code END,
    'country', CASE WHEN page.mask & 512 <> 0 THEN address.country END) END,
  'region', CASE WHEN page.mask & 1024 <> 0 THEN member.region END,
  'ageBand', CASE WHEN page.mask & 2048 <> 0 THEN
    (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(
      extract(year FROM age(current_date, member.birth_date))::integer, ARRAY[18, 25, 35, 45, 55, 65])] END,
  'interests', CASE WHEN page.mask & 4096 <> 0 THEN member.interests END,
  'purchaseCategories', CASE WHEN page.mask & 8192 <> 0 THEN member.purchase_categories END)
FROM (
  SELECT subject, member_id, mask & :mask AS mask FROM share
  WHERE agreement_id = :agreement AND mask & :mask <> 0 AND (ends_at IS NULL OR now() < ends_at)
) AS page
JOIN member ON member.id = page.member_id
LEFT JOIN postal_address AS address
  ON address.member_id = member.id AND address.is_primary AND page.mask & 16 <> 0
ORDER BY page.subject
