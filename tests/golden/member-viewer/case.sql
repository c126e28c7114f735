-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-000100000001')
SELECT member_1.number
FROM member AS member_1
WHERE member_1.id = $1::UUID
