-- statements: 1

-- $1: 66
-- $2: UUID('00000000-0000-7000-8000-001000000001')
-- $3: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $4: 51
SELECT uuid_send(member_5.log_id) AS log_id,
  share_3.mask,
  page.withdrawn,
  page.transaction,
  page.seq,
  page.kind, CAST(page.subject AS TEXT) AS subject,
  page.about,
  share_3.subject AS subject_1,
  CASE WHEN (share_3.mask & 2 != 0) THEN member_5.given_name END AS anon_1
FROM (SELECT share_change_1.transaction AS transaction,
      share_change_1.seq AS seq,
      share_change_1.subject AS subject,
      share_change_1.changed_at AS changed_at,
      CASE WHEN share_change_1.erased THEN 'ERASED' WHEN (share_change_1.before & $1::BIGINT = 0) THEN 'SHARED' WHEN ((share_change_1.before & ~share_change_1.after) & $1::BIGINT != 0) THEN 'WITHDRAWN' ELSE 'CORRECTED' END AS kind,
      CASE WHEN share_change_1.erased THEN share_change_1.mask & $1::BIGINT WHEN (share_change_1.before & $1::BIGINT = 0) THEN share_change_1.after & $1::BIGINT WHEN ((share_change_1.before & ~share_change_1.after) & $1::BIGINT != 0) THEN (share_change_1.before & ~share_change_1.after) & $1::BIGINT ELSE share_change_1.mask & $1::BIGINT END AS about,
      CASE WHEN (share_change_1.erased OR (share_change_1.before & ~share_change_1.after) & $1::BIGINT != 0) THEN share_change_1.subject END AS withdrawn
    FROM share_change AS share_change_1
    WHERE share_change_1.agreement_id = $2::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_2
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $2::UUID) AND share_change_1.mask & $1::BIGINT != 0 AND share_change_1.transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY share_change_1.transaction ASC,
      share_change_1.seq ASC
    LIMIT $4::BIGINT) AS page LEFT OUTER JOIN share AS share_3 ON share_3.agreement_id = $2::UUID AND (SELECT agreement_6.status = 'ACTIVE' AND agreement_6.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_6.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_6.valid_until) AS anon_3
    FROM agreement AS agreement_6
    WHERE agreement_6.id = $2::UUID) AND share_3.mask & $1::BIGINT != 0 AND (share_3.ends_at IS NULL OR $3::TIMESTAMP WITH TIME ZONE < share_3.ends_at) AND share_3.subject = page.subject LEFT OUTER JOIN pairwise_subject AS pairwise_subject_4 ON pairwise_subject_4.subject = page.subject LEFT OUTER JOIN member AS member_5 ON member_5.id = pairwise_subject_4.member_id ORDER BY page.transaction,
  page.seq
