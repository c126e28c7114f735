// What applications do with a stock client: queries with variables and fragments, a mutation, errors, introspection.
import { Client, fetchExchange, gql } from '@urql/core';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';

const [url, authorization] = process.argv.slice(2);
const headers = authorization ? { authorization } : {};

for (const preferGetMethod of [false, 'force']) {
  const client = new Client({ url, preferGetMethod, exchanges: [fetchExchange], fetchOptions: { headers } });
  const hello = gql`
    query Hello($name: String, $skip: Boolean!) {
      ...Greeting
      me @skip(if: $skip) { id }
      __typename
    }
    fragment Greeting on Query { hello(name: $name) }
  `;
  report('query', await client.query(hello, { name: 'x', skip: true }));
  report('error', await client.query('{ nothing }', {}));
  const introspected = await client.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }), {});
  report('schema', { data: buildClientSchema(introspected.data).getQueryType().name });
}
const client = new Client({ url, exchanges: [fetchExchange], fetchOptions: { headers } });
report('mutation', await client.mutation('mutation($name: String!) { rename(name: $name) { id } }', { name: 'x' }));

function report(step, { data, error }) {
  console.log(JSON.stringify({ step, data: data ?? null, codes: error?.graphQLErrors.map((e) => e.extensions.code) ?? [] }));
}
