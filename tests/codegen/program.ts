// What a partner's program does with the generated types: every result is read, nothing is cast.
import type { ConfirmMutation, FollowQuery, OwedQuery, PageQuery, PageQueryVariables, TermsQuery } from "./operations";

export const next = (page: PageQuery): PageQueryVariables | null => {
  const info = page.members.pageInfo;
  return info.hasNextPage ? { after: info.endCursor } : null;
};

export const keep = (copy: Map<string, string | null>, page: FollowQuery): void => {
  for (const { node } of page.changes.edges) {
    if (node.member) copy.set(node.id, node.member.name);
    else copy.delete(node.id);
  }
};

export const late = (page: OwedQuery): string[] =>
  page.deletions.edges.filter(({ node }) => node.overdue).map(({ node }) => node.id);

export const confirmed = (answer: ConfirmMutation): boolean => answer.confirmDeletion.errors.length === 0;

/** Null where the agreement sets no limit. */
export const left = (terms: TermsQuery): number | null => terms.agreement.budget.requests?.remaining ?? null;
