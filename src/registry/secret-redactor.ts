/** Takes credentials out of texts that come from registries: a hostile one could send back what it was given. */
export interface SecretRedactor {
  add(...secrets: readonly string[]): void;
  redact(text: string): string;
}

const SHORTEST = 4;
const MOST = 200;

export function createSecretRedactor(): SecretRedactor {
  const secrets = new Set<string>();
  return {
    add: (...more) => {
      for (const secret of more) {
        if (secret.length < SHORTEST) continue;
        secrets.delete(secret);
        secrets.add(secret);
        // Tokens come and go; the oldest have expired.
        const [oldest] = secrets;
        if (secrets.size > MOST && oldest !== undefined) secrets.delete(oldest);
      }
    },
    redact: (text) => {
      let redacted = text;
      for (const secret of [...secrets].sort((a, b) => b.length - a.length)) redacted = redacted.replaceAll(secret, '<REDACTED>');
      return redacted;
    },
  };
}
