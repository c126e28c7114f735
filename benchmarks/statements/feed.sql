-- :agreement and :mask are put in as literals. The lines of one partner's feed from its beginning, each with
-- the member as she is now.
SELECT json_build_object(
  'id', change.subject,
  'changedAt', change.changed_at,
  'mask', change.mask,
  'member', CASE WHEN share.mask IS NOT NULL THEN json_build_object(
    'id', change.subject,
    'name', CASE WHEN share.mask & :mask & 1 <> 0 THEN concat_ws(' ', member.given_name, member.family_name) END,
    'email', CASE WHEN share.mask & :mask & 8 <> 0 THEN member.email END,
    'region', CASE WHEN share.mask & :mask & 1024 <> 0 THEN member.region END) END)
FROM share_change AS change
LEFT JOIN share ON share.agreement_id = change.agreement_id AND share.subject = change.subject
LEFT JOIN member ON member.id = share.member_id
WHERE change.agreement_id = :agreement AND change.mask & :mask <> 0
ORDER BY change.transaction, change.seq
