-- $1: the member's id, $2: all interests. Tells each partner that sees the interests (bit 12) of the change.
WITH corrected AS (
  UPDATE member SET interests = $2, updated_at = now(), version = version + 1 WHERE id = $1 RETURNING id
)
INSERT INTO share_change (agreement_id, subject, mask, before, after, changed_at)
SELECT share.agreement_id, share.subject, 4096, share.mask, share.mask, now()
FROM corrected JOIN share ON share.member_id = corrected.id
WHERE share.mask & 4096 <> 0
