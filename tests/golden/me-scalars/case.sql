-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-000100000001')
SELECT CAST(member_1.id AS TEXT) AS id,
  member_1.number,
  member_1.status,
  member_1.username,
  member_1.given_name,
  member_1.family_name,
  member_1.email,
  member_1.email_verified_at,
  member_1.birth_date,
  member_1.region,
  member_1.interests,
  member_1.purchase_categories,
  member_1.joined_at,
  member_1.version
FROM member AS member_1
WHERE member_1.id = $1::UUID
