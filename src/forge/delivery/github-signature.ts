import { Webhooks } from '@octokit/webhooks';
import type { Delivery } from '../../model/ports/delivery-reader.ts';

const EXPECTED = 'expected the header X-Hub-Signature-256 with "sha256=" and the HMAC-SHA256 of the body under the secret of the hook';

/** GitHub's proof: `X-Hub-Signature-256` over the raw body. The older SHA-1 header counts for nothing. */
export async function verifyGithubSignature(delivery: Delivery, secrets: readonly string[]): Promise<string | undefined> {
  const signature = delivery.headers['x-hub-signature-256'];
  if (signature === undefined || !/^sha256=[0-9a-f]{64}$/.test(signature) || delivery.body.length === 0) return EXPECTED;
  const body = Buffer.from(delivery.body.buffer, delivery.body.byteOffset, delivery.body.byteLength).toString('utf8');
  const verdicts = await Promise.all(secrets.map((secret) => new Webhooks({ secret }).verify(body, signature)));
  return verdicts.includes(true) ? undefined : EXPECTED;
}
