-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(communication_2.id AS TEXT),
              communication_2.direction,
              communication_2.subject,
              communication_2.body,
              communication_2.sent_at) AS row_1
        FROM communication AS communication_2
        WHERE communication_2.member_id = member_1.id ORDER BY communication_2.sent_at DESC,
          communication_2.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
