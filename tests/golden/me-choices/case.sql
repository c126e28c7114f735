-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000008')
SELECT (SELECT count(*) AS count_1
    FROM choice AS choice_2
    WHERE choice_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(CAST(choice_3.id AS TEXT),
              choice_3.requested_at,
              choice_3.received_at,
              choice_3.direction,
              choice_3.source,
              partner_4.id,
              partner_4.name,
              partner_4.display_name,
              choice_3.purpose,
              choice_3.categories) AS row_1
        FROM choice AS choice_3 LEFT OUTER JOIN partner AS partner_4 ON partner_4.id = choice_3.partner_id
        WHERE choice_3.member_id = member_1.id ORDER BY choice_3.requested_at DESC,
          choice_3.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
