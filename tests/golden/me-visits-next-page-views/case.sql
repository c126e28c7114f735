-- statements: 1

-- $1: datetime.datetime(2026, 5, 2, 10, 1, 0, 123456, tzinfo=datetime.timezone.utc)
-- $2: UUID('00000000-0000-7000-8000-000b00000004')
-- $3: 3
-- $4: 2
-- $5: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(array((SELECT row(page_view_3.path) AS row_2
                    FROM page_view AS page_view_3
                    WHERE page_view_3.visit_id = visit_2.id AND (page_view_3.viewed_at,
                          page_view_3.id) > ($1::TIMESTAMP WITH TIME ZONE, $2::UUID) ORDER BY page_view_3.viewed_at ASC,
                      page_view_3.id ASC
                    LIMIT $3::BIGINT))) AS row_1
        FROM visit AS visit_2
        WHERE visit_2.member_id = member_1.id ORDER BY visit_2.started_at DESC,
          visit_2.id DESC
        LIMIT $4::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $5::UUID
