// What a partner's program does with a stock client: it follows the feed as server-sent events (graphql-sse,
// distinct connections) while a member opts out. Prints one JSON object a line.
import { createClient } from 'graphql-sse';

const [url, partner, member] = process.argv.slice(2);
const follow = `subscription Follow { changes(first: 2) {
  edges { node { kind id categories member { id } } } pageInfo { endCursor } } }`;
const optOut = 'mutation { choose(input: { direction: OUT }) { errors { code } } }';

const client = createClient({ url, headers: { authorization: partner }, retryAttempts: 0 });
const changes = client.iterate({ query: follow }, { connected: () => choose().catch(fail) });
for await (const page of changes) {
  console.log(JSON.stringify({ step: 'page', data: page }));
  break; // leaves the iteration, and with it the connection
}

async function choose() {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: member, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: optOut }),
  });
  console.log(JSON.stringify({ step: 'choose', data: (await response.json()).data }));
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
