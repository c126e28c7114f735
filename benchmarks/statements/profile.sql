-- $1: the member's id. One row for each address, one without an address where there is none.
SELECT member.number, member.given_name, member.family_name, member.email, member.birth_date, member.region,
       member.interests, address.line1, address.city, address.country
FROM member LEFT JOIN postal_address AS address ON address.member_id = member.id
WHERE member.id = $1
ORDER BY address.created_at, address.id
LIMIT 20
