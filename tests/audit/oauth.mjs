// What partners' programs do with stock OAuth clients: discover, get tokens in every way, ask, inspect, revoke.
// Prints one JSON object a line. Plain http is allowed as the clients' documentation says, for a loopback server.
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

const [issuer, secretClient, secret, keyClient, jwk, dpopClient, dpopSecret] = process.argv.slice(2);
const QUERY = JSON.stringify({ query: '{ members(first: 2) { edges { node { id name } } } }' });
const JSON_HEADERS = { 'content-type': 'application/json' };
const graphql = new URL(`${issuer}/graphql`);
const keyOf = async () => {
  const { kid, ...key } = JSON.parse(jwk);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  return { key: await crypto.subtle.importKey('jwk', key, algorithm, false, ['sign']), kid };
};

await openidClient();
await oauth4webapi();

async function openidClient() {
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
  const discover = (id, auth) => client.discovery(new URL(issuer), id, undefined, auth, options);
  const ways = [
    ['secret', await discover(secretClient, client.ClientSecretBasic(secret)), {}],
    ['key', await discover(keyClient, client.PrivateKeyJwt(await keyOf())), {}],
  ];
  const bound = await discover(dpopClient, client.ClientSecretBasic(dpopSecret));
  ways.push(['dpop', bound, { DPoP: client.getDPoPHandle(bound, await client.randomDPoPKeyPair('ES256')) }]);
  for (const [way, config, extra] of ways) {
    const token = await client.clientCredentialsGrant(config, { scope: 'user.name' }, extra);
    const ask = () => client.fetchProtectedResource(
      config, token.access_token, graphql, 'POST', QUERY, new Headers(JSON_HEADERS), extra,
    );
    const page = await (await ask()).json();
    const inspected = await client.tokenIntrospection(config, token.access_token);
    await client.tokenRevocation(config, token.access_token);
    const refused = await ask().then((response) => response.status, (error) => error.status);
    report(`openid-client ${way}`, token, page, inspected, refused);
  }
}

async function oauth4webapi() {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const url = new URL(issuer);
  const resource = await oauth.processResourceDiscoveryResponse(
    url, await oauth.resourceDiscoveryRequest(url, insecure),
  );
  const server = new URL(resource.authorization_servers[0]);
  const as = await oauth.processDiscoveryResponse(
    server, await oauth.discoveryRequest(server, { algorithm: 'oauth2', ...insecure }),
  );
  const ways = [
    ['secret', secretClient, oauth.ClientSecretBasic(secret), false],
    ['key', keyClient, oauth.PrivateKeyJwt(await keyOf()), false],
    ['dpop', dpopClient, oauth.ClientSecretBasic(dpopSecret), true],
  ];
  for (const [way, id, auth, isBound] of ways) {
    const me = { client_id: id };
    const extra = { ...insecure };
    if (isBound) extra.DPoP = oauth.DPoP(me, await oauth.generateKeyPair('ES256'));
    const parameters = new URLSearchParams({ scope: 'user.name' });
    const granted = await oauth.clientCredentialsGrantRequest(as, me, auth, parameters, extra);
    const token = await oauth.processClientCredentialsResponse(as, me, granted);
    const ask = () => oauth.protectedResourceRequest(
      token.access_token, 'POST', graphql, new Headers(JSON_HEADERS), QUERY, extra,
    );
    const page = await (await ask()).json();
    const inspected = await oauth.processIntrospectionResponse(
      as, me, await oauth.introspectionRequest(as, me, auth, token.access_token, insecure),
    );
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, me, auth, token.access_token, insecure),
    );
    const refused = await ask().then((response) => response.status, (error) => error.status);
    report(`oauth4webapi ${way}`, token, page, inspected, refused);
  }
}

function report(step, token, page, inspected, refused) {
  const data = {
    type: token.token_type,
    scope: token.scope,
    members: page.data.members.edges.length,
    active: inspected.active,
    bound: inspected.cnf !== undefined,
    refused,
  };
  console.log(JSON.stringify({ step, data }));
}
