// What applications do with a stock client: a member's reads by POST and GET, errors, introspection and a
// mutation; a partner's way through all pages. Prints one JSON object a line.
import { Client, fetchExchange, gql } from '@urql/core';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';

const [who, url, authorization] = process.argv.slice(2);
const fetchOptions = { headers: authorization ? { authorization } : {} };
const client = (preferGetMethod) => new Client({ url, preferGetMethod, exchanges: [fetchExchange], fetchOptions });

if (who === 'member') await member();
else await partner();

async function member() {
  const me = gql`
    query Me($first: Int, $skip: Boolean!) {
      ...Profile
      policy @skip(if: $skip) { digest }
      __typename
    }
    fragment Profile on Query { me { givenName orders(first: $first) { totalCount } __typename } }
  `;
  for (const preferGetMethod of [false, 'force']) {
    const asking = client(preferGetMethod);
    report('query', await asking.query(me, { first: 1, skip: true }));
    report('error', await asking.query('{ nothing }', {}));
    const introspected = await asking.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }), {});
    report('schema', { data: buildClientSchema(introspected.data).getQueryType().name });
  }
  const correct = gql`
    mutation Correct($input: CorrectProfileInput!) {
      correctProfile(input: $input) { errors { code } me { givenName } }
    }
  `;
  report('mutation', await client(false).mutation(correct, { input: { givenName: 'Augusta' } }));
}

async function partner() {
  const page = gql`
    query Page($after: String) {
      members(first: 3, after: $after) { totalCount edges { node { id name } } pageInfo { hasNextPage endCursor } }
    }
  `;
  let after = null;
  do {
    const answer = await client(false).query(page, { after });
    report('page', answer);
    const { hasNextPage, endCursor } = answer.data.members.pageInfo;
    after = hasNextPage ? endCursor : null;
  } while (after);
}

function report(step, { data, error }) {
  console.log(JSON.stringify({ step, data: data ?? null, codes: error?.graphQLErrors.map((e) => e.extensions.code) ?? [] }));
}
