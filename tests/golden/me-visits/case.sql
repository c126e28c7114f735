-- statements: 1

-- $1: 3
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(visit_2.id AS TEXT),
              visit_2.started_at,
              visit_2.ip_address,
              visit_2.domain,
              visit_2.browser,
              visit_2.referring_page,
              visit_2.exit_page,
              (SELECT count(*) AS count_1
                FROM page_view AS page_view_3
                WHERE page_view_3.visit_id = visit_2.id),
              array((SELECT row(page_view_4.viewed_at,
                          page_view_4.id, CAST(page_view_4.id AS TEXT),
                          page_view_4.path,
                          page_view_4.viewed_at,
                          page_view_4.seconds) AS row_2
                    FROM page_view AS page_view_4
                    WHERE page_view_4.visit_id = visit_2.id ORDER BY page_view_4.viewed_at ASC,
                      page_view_4.id ASC
                    LIMIT $1::BIGINT))) AS row_1
        FROM visit AS visit_2
        WHERE visit_2.member_id = member_1.id ORDER BY visit_2.started_at DESC,
          visit_2.id DESC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
