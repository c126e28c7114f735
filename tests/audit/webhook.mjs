// A partner's end of a webhook, made of stock parts: verifies one request that another program received.
// Reads {secret, headers, body} from the argument and prints what the library makes of it.
import { Webhook } from 'standardwebhooks';

const { secret, headers, body } = JSON.parse(process.argv[2]);
const webhook = new Webhook(secret);
console.log(JSON.stringify({ step: 'verified', data: webhook.verify(body, headers) }));
try {
  webhook.verify(body.replace('withdrawn', 'erased'), headers);
  console.log(JSON.stringify({ step: 'changed', data: 'taken' }));
} catch (error) {
  console.log(JSON.stringify({ step: 'changed', data: error.constructor.name }));
}
