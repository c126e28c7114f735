-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 134217727
-- $4: UUID('00000000-0000-7000-8000-00010000000a')
SELECT uuid_send(member_4.log_id) AS log_id,
  share_1.mask, CAST(share_1.subject AS TEXT) AS subject,
  CASE WHEN (share_1.mask & 1 != 0) THEN concat_ws(' ',
      member_4.given_name,
      member_4.family_name) END AS anon_1,
  CASE WHEN (share_1.mask & 8 != 0) THEN member_4.email END AS anon_2
FROM share AS share_1 JOIN member AS member_4 ON member_4.id = share_1.member_id
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_3.status = 'ACTIVE' AND agreement_3.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_3.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_3.valid_until) AS anon_3
    FROM agreement AS agreement_3
    WHERE agreement_3.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.member_id = $4::UUID AND NOT (EXISTS (SELECT *
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $1::UUID AND agreement_2.deferred_until > $2::TIMESTAMP WITH TIME ZONE))
