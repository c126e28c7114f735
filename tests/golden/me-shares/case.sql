-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM share AS share_2
    WHERE share_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(share_3.agreement_id,
              share_3.subject,
              share_3.mask,
              agreement_4.id,
              agreement_4.id,
              agreement_4.basis,
              agreement_4.purpose,
              agreement_4.valid_from,
              agreement_4.valid_until,
              partner_5.id,
              partner_5.name,
              partner_5.display_name) AS row_1
        FROM share AS share_3 LEFT OUTER JOIN agreement AS agreement_4 ON agreement_4.id = share_3.agreement_id LEFT OUTER JOIN partner AS partner_5 ON partner_5.id = agreement_4.partner_id
        WHERE share_3.member_id = member_1.id ORDER BY share_3.agreement_id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
