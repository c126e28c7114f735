-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(interaction_2.id AS TEXT),
              interaction_2.kind,
              interaction_2.source,
              interaction_2.occurred_at,
              interaction_2.content) AS row_1
        FROM interaction AS interaction_2
        WHERE interaction_2.member_id = member_1.id ORDER BY interaction_2.occurred_at DESC,
          interaction_2.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
