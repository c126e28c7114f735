-- statements: 1

-- $1: datetime.date(2026, 11, 23)
-- $2: 16383
-- $3: UUID('00000000-0000-7000-8000-001000000001')
-- $4: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $5: 51
SELECT uuid_send(member_5.log_id) AS log_id,
  share_3.mask,
  page.withdrawn,
  page.transaction,
  page.seq,
  page.transaction AS transaction__1,
  page.seq AS seq__1,
  page.kind, CAST(page.subject AS TEXT) AS subject,
  page.changed_at,
  page.about,
  share_3.subject AS subject_1, CAST(share_3.subject AS TEXT) AS subject__1,
  CASE WHEN (share_3.mask & 1 != 0) THEN concat_ws(' ',
      member_5.given_name,
      member_5.family_name) END AS anon_1,
  CASE WHEN (share_3.mask & 8 != 0) THEN member_5.email END AS anon_2,
  postal_address_7.member_id,
  CASE WHEN (share_3.mask & 64 != 0) THEN postal_address_7.city END AS anon_3,
  CASE WHEN (share_3.mask & 2048 != 0) THEN (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($1::DATE,
                  member_5.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] END AS anon_4
FROM (SELECT share_change_1.transaction AS transaction,
      share_change_1.seq AS seq,
      share_change_1.subject AS subject,
      share_change_1.changed_at AS changed_at,
      CASE WHEN share_change_1.erased THEN 'ERASED' WHEN (share_change_1.before & $2::BIGINT = 0) THEN 'SHARED' WHEN ((share_change_1.before & ~share_change_1.after) & $2::BIGINT != 0) THEN 'WITHDRAWN' ELSE 'CORRECTED' END AS kind,
      CASE WHEN share_change_1.erased THEN share_change_1.mask & $2::BIGINT WHEN (share_change_1.before & $2::BIGINT = 0) THEN share_change_1.after & $2::BIGINT WHEN ((share_change_1.before & ~share_change_1.after) & $2::BIGINT != 0) THEN (share_change_1.before & ~share_change_1.after) & $2::BIGINT ELSE share_change_1.mask & $2::BIGINT END AS about,
      CASE WHEN (share_change_1.erased OR (share_change_1.before & ~share_change_1.after) & $2::BIGINT != 0) THEN share_change_1.subject END AS withdrawn
    FROM share_change AS share_change_1
    WHERE share_change_1.agreement_id = $3::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $4::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $4::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_5
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $3::UUID) AND share_change_1.mask & $2::BIGINT != 0 AND share_change_1.transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY share_change_1.transaction ASC,
      share_change_1.seq ASC
    LIMIT $5::BIGINT) AS page LEFT OUTER JOIN share AS share_3 ON share_3.agreement_id = $3::UUID AND (SELECT agreement_6.status = 'ACTIVE' AND agreement_6.valid_from <= $4::TIMESTAMP WITH TIME ZONE AND (agreement_6.valid_until IS NULL OR $4::TIMESTAMP WITH TIME ZONE < agreement_6.valid_until) AS anon_6
    FROM agreement AS agreement_6
    WHERE agreement_6.id = $3::UUID) AND share_3.mask & $2::BIGINT != 0 AND (share_3.ends_at IS NULL OR $4::TIMESTAMP WITH TIME ZONE < share_3.ends_at) AND share_3.subject = page.subject LEFT OUTER JOIN pairwise_subject AS pairwise_subject_4 ON pairwise_subject_4.subject = page.subject LEFT OUTER JOIN member AS member_5 ON member_5.id = pairwise_subject_4.member_id LEFT OUTER JOIN postal_address AS postal_address_7 ON postal_address_7.member_id = member_5.id AND postal_address_7.is_primary AND share_3.mask & 16 != 0 ORDER BY page.transaction,
  page.seq
