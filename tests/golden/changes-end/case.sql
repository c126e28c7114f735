-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 16383
SELECT NULL AS log_id, NULL AS mask, NULL AS withdrawn,
  share_change_7.transaction,
  share_change_7.seq
FROM share_change AS share_change_7
WHERE share_change_7.agreement_id = $1::UUID AND (SELECT agreement_8.status = 'ACTIVE' AND agreement_8.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_8.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_8.valid_until) AS anon_1
    FROM agreement AS agreement_8
    WHERE agreement_8.id = $1::UUID) AND share_change_7.mask & $3::BIGINT != 0 AND share_change_7.transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY share_change_7.transaction DESC,
  share_change_7.seq DESC
LIMIT 1
