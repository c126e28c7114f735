// What a front-end does with a stock client and a stock cookie jar, from the registration to the sign-out
// everywhere. Mail is read from the folder that the gateway writes it to. Prints one JSON object a line.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, fetchExchange, gql } from '@urql/core';
import { authExchange } from '@urql/exchange-auth';
import makeFetchCookie from 'fetch-cookie';
import { CookieJar } from 'tough-cookie';

const [url, mail, email] = process.argv.slice(2);
const PASSWORD = 'a tired otter paddles upstream';
const jar = new CookieJar();
let accessToken = null;
let refreshes = 0;

const SIGN_IN = gql`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) { errors { path code } accessToken refreshToken sessionId }
  }
`;
const REFRESH = gql`
  mutation Refresh($input: RefreshSessionInput!) { refreshSession(input: $input) { errors { code } accessToken } }
`;

const client = new Client({
  url,
  preferGetMethod: false,
  fetch: makeFetchCookie(fetch, jar),
  exchanges: [
    authExchange(async (utils) => ({
      addAuthToOperation: (operation) =>
        accessToken ? utils.appendHeaders(operation, { authorization: `Bearer ${accessToken}` }) : operation,
      didAuthError: (error) => error.graphQLErrors.some((e) => e.extensions.code === 'UNAUTHENTICATED'),
      refreshAuth: async () => {
        refreshes += 1;
        accessToken = null;
        const { data } = await utils.mutate(REFRESH, { input: {} });
        accessToken = data?.refreshSession.accessToken ?? null;
      },
    })),
    fetchExchange,
  ],
});

const registration = {
  email,
  password: PASSWORD,
  givenName: 'Nora',
  familyName: 'Front',
  birthDate: '1984-02-29',
  address: { line1: '7 Harbour Street', city: 'Springfield', state: 'CA', postalCode: '90210', country: 'US' },
  phones: [{ number: '+1 202 555 0143', label: 'Home' }],
  billing: { brand: 'Visa', lastFour: '4242', expiryMonth: 12, expiryYear: 2030, processorToken: 'tok_front_end' },
  newsletter: true,
};
const REGISTER = gql`
  mutation Register($input: RegisterInput!) { register(input: $input) { errors { path code } } }
`;
await step('register without most of it', REGISTER, { input: { email } });
await step('register', REGISTER, { input: registration });
await step('sign in too early', SIGN_IN, { input: { email, password: PASSWORD } });
await step('follow the link', gql`mutation Follow($input: FollowLinkInput!) { followLink(input: $input) { errors { code } } }`, {
  input: { token: await tokenInMail(/\/confirm\/([\w-]+)/) },
});
await step('sign in with a wrong password', SIGN_IN, { input: { email, password: 'not the otter that we know' } });
const signedIn = await step('sign in', SIGN_IN, { input: { email, password: PASSWORD } }, withoutTokens);
accessToken = signedIn.signIn.accessToken;

const me = await step('read', gql`
  query { me { givenName version emailVerifiedAt phones(first: 5) { edges { node { label } } }
    sessions(first: 5) { totalCount } choices(first: 5) { edges { node { topic direction source } } } } }
`, {}, ({ me }) => ({ ...me, emailVerifiedAt: me.emailVerifiedAt !== null }));
const CORRECT = gql`
  mutation Correct($input: CorrectProfileInput!) {
    correctProfile(input: $input) { errors { path code } me { givenName familyName version } }
  }
`;
await step('correct', CORRECT, { input: { givenName: 'Eleonora', version: me.me.version } });
await step('correct what has changed', CORRECT, { input: { givenName: 'Elle', version: me.me.version } });
const SHARES = gql`
  query { me { shares(first: 9) { edges { node { agreement { id partner { name } } categories } } } } }
`;
const shares = await step('who sees what', SHARES, {}, ({ me }) =>
  me.shares.edges.map(({ node }) => node.agreement.partner.name));
const PREVIEW = gql`query Preview($agreement: ID!) { previewAsPartner(agreement: $agreement) { name email region } }`;
const { agreement } = shares.me.shares.edges.map(({ node }) => node).find((node) => node.agreement.partner.name === 'acme');
await step('preview', PREVIEW, { agreement: agreement.id });
const CHOOSE = gql`mutation Choose($input: ChooseInput!) { choose(input: $input) { errors { code } } }`;
await step('withhold the address', CHOOSE, { input: { direction: 'OUT', partner: 'acme', categories: ['user.contact.email'] } });
await step('preview after that', PREVIEW, { agreement: agreement.id });
await step('withhold everything', CHOOSE, { input: { direction: 'OUT' } });
await step('preview of nothing', PREVIEW, { agreement: agreement.id });

accessToken = 'spoiled';
await step('read with a spoiled token', gql`query { me { givenName } }`, {});
console.log(JSON.stringify({ step: 'refreshes', data: refreshes }));
await step('sign out everywhere', gql`mutation { signOutEverywhere { errors { code } } }`, {});
await step('read afterwards', gql`query { me { familyName } }`, {});
await step('refresh afterwards', REFRESH, { input: {} });
console.log(JSON.stringify({ step: 'cookies', data: (await jar.getCookies(url)).map((cookie) => [cookie.key, cookie.httpOnly, cookie.secure]) }));

async function step(name, document, variables, shown = (data) => data) {
  const mutates = document.definitions[0].operation === 'mutation';
  const options = { requestPolicy: 'network-only' };
  const { data, error } = await (mutates ? client.mutation(document, variables, options) : client.query(document, variables, options));
  const codes = error?.graphQLErrors.map((e) => e.extensions.code) ?? [];
  if (error?.networkError) codes.push(String(error.networkError));
  console.log(JSON.stringify({ step: name, data: data ? shown(data) : null, codes }));
  return data;
}

function withoutTokens({ signIn }) {
  const { accessToken, refreshToken, sessionId, errors } = signIn;
  return { errors, accessToken: accessToken?.split('.').length, refreshToken, sessionId: sessionId?.length };
}

async function tokenInMail(pattern) {
  for (let tries = 0; tries < 100; tries += 1) {
    for (const file of await readdir(mail).catch(() => [])) {
      const text = (await readFile(join(mail, file), 'utf8')).replace(/=\r?\n/g, '');
      const found = file.endsWith('.eml') && text.includes(email) && text.match(pattern);
      if (found) return found[1];
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the mail did not come: ${await readdir(mail).catch(String)}`);
}
