-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 16383
-- $4: UUID('a0000000-0000-4000-8000-000000000001')
SELECT uuid_send(member_3.log_id) AS log_id,
  share_1.mask
FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_1
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.subject = $4::UUID
