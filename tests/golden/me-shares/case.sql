-- statements: 1

-- $1: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM share AS share_2
    WHERE share_2.member_id = member_1.id AND NOT (EXISTS (SELECT *
            FROM agreement AS agreement_3
            WHERE agreement_3.id = share_2.agreement_id AND agreement_3.deferred_until > $1::TIMESTAMP WITH TIME ZONE))) AS anon_1,
  array((SELECT row(share_4.agreement_id, CAST(share_4.subject AS TEXT),
              share_4.mask,
              agreement_5.id, CAST(agreement_5.id AS TEXT),
              agreement_5.basis,
              agreement_5.purpose,
              agreement_5.valid_from,
              agreement_5.valid_until,
              partner_6.id,
              partner_6.name,
              partner_6.display_name) AS row_1
        FROM share AS share_4 LEFT OUTER JOIN agreement AS agreement_5 ON agreement_5.id = share_4.agreement_id LEFT OUTER JOIN partner AS partner_6 ON partner_6.id = agreement_5.partner_id
        WHERE share_4.member_id = member_1.id AND NOT (EXISTS (SELECT *
                FROM agreement AS agreement_7
                WHERE agreement_7.id = share_4.agreement_id AND agreement_7.deferred_until > $1::TIMESTAMP WITH TIME ZONE)) ORDER BY share_4.agreement_id ASC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
