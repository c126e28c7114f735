-- statements: 1

-- $1: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000007')
SELECT (SELECT count(*) AS count_1
    FROM share AS share_2
    WHERE share_2.member_id = member_1.id AND NOT (EXISTS (SELECT *
            FROM agreement AS agreement_3
            WHERE agreement_3.id = share_2.agreement_id AND agreement_3.deferred_until > $1::TIMESTAMP WITH TIME ZONE))) AS anon_1,
  array((SELECT row(share_4.agreement_id, CAST(share_4.subject AS TEXT)) AS row_1
        FROM share AS share_4
        WHERE share_4.member_id = member_1.id AND NOT (EXISTS (SELECT *
                FROM agreement AS agreement_5
                WHERE agreement_5.id = share_4.agreement_id AND agreement_5.deferred_until > $1::TIMESTAMP WITH TIME ZONE)) ORDER BY share_4.agreement_id ASC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
