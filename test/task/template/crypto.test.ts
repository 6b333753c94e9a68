import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { failure, render } from './render.ts';

function parts(text: string): string[] {
  const rendered = render(text);
  if (typeof rendered !== 'string') throw new Error(rendered.message);
  return rendered.split('|');
}

describe('certificates', () => {
  const SIGN =
    '{{$ca := genCA "My CA" 365}}{{$c := genSignedCert "host" (list "10.0.0.1" "::1") (list "a.example" "b.example") 30 $ca}}' +
    '{{$ca.Cert}}|{{$ca.Key}}|{{$c.Cert}}|{{$c.Key}}';

  test('an authority signs for names and addresses', () => {
    const [caText = '', caKey = '', leafText = '', leafKey = ''] = parts(SIGN);
    const ca = new X509Certificate(caText);
    const leaf = new X509Certificate(leafText);
    expect(ca.subject).toBe('CN=My CA');
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(caKey))).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkPrivateKey(createPrivateKey(leafKey))).toBe(true);
    expect(leaf.subjectAltName).toBe('DNS:a.example, DNS:b.example, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(leaf.validFromDate.toISOString()).toBe('2026-01-02T03:04:05.000Z');
    expect(leaf.validToDate.toISOString()).toBe('2026-02-01T03:04:05.000Z');
    expect(leafKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\n/);
  });

  test('self-signed, also beyond 2049 and with a name outside of ASCII', () => {
    const [text = ''] = parts('{{(genSelfSignedCert "żółw" nil nil 20000).Cert}}');
    const certificate = new X509Certificate(text);
    expect(certificate.subject).toBe('CN=żółw');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.validToDate.getUTCFullYear()).toBe(2080);
  });

  test('given ones are checked', () => {
    const round =
      '{{$c := genSelfSignedCert "x" nil nil 1}}{{$d := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)}}{{eq $c.Cert $d.Cert}}{{eq $c.Key $d.Key}}';
    expect(render(round)).toBe('truetrue');
    expect(failure('{{buildCustomCert "!" "!"}}').message).toContain('unable to decode base64 certificate');
    expect(failure('{{buildCustomCert (b64enc "x") (b64enc "x")}}').message).toContain('unable to decode certificate');
    expect(failure('{{genSelfSignedCert "x" (list "1.2.3") nil 1}}').message).toContain('error parsing ip: 1.2.3');
    expect(failure('{{genSelfSignedCert "x" (list 1) nil 1}}').message).toContain('is not a string');
  });
});

describe('keys', () => {
  test.each([
    ['rsa', 'RSA PRIVATE KEY', 'rsa'],
    ['', 'RSA PRIVATE KEY', 'rsa'],
    ['ecdsa', 'EC PRIVATE KEY', 'ec'],
    ['dsa', 'DSA PRIVATE KEY', 'dsa'],
  ])('%j', (type, label, kind) => {
    const [key = ''] = parts(`{{genPrivateKey "${type}"}}`);
    expect(key.startsWith(`-----BEGIN ${label}-----\n`)).toBe(true);
    expect(createPrivateKey(key).asymmetricKeyType).toBe(kind);
  });

  test('other types are named in the result', () => {
    expect(render('{{genPrivateKey "foo"}}')).toBe('Unknown type foo');
  });
});

test('passwords, ciphers, checksums', () => {
  expect(render('{{derivePassword 1 "long" "password" "user" "example.com"}} {{derivePassword 1 "nope" "p" "u" "s"}}')).toBe(
    'ZedaFaxcZaso9* cannot find password template nope',
  );
  expect(render('{{encryptAES "key" "żółw" | decryptAES "key"}}{{encryptAES "k" ""}}{{decryptAES "k" ""}}')).toBe('żółw');
  expect(failure('{{decryptAES "k" "YWJj"}}').message).toContain('whole blocks');
  expect(failure('{{decryptAES "k" "!"}}').message).toContain('illegal base64 data');
  expect(render('{{adler32sum "Wikipedia"}} {{sha1sum ""}}')).toBe('300286872 da39a3ee5e6b4b0d3255bfef95601890afd80709');
});

test('random things have the shape they should', () => {
  expect(render('{{uuidv4}}')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(render('{{randAlpha 9}}|{{randNumeric 9}}|{{randAlphaNum 9}}')).toMatch(/^[A-Za-z]{9}\|[0-9]{9}\|[A-Za-z0-9]{9}$/);
  expect(render('{{randAscii 50}}')).toMatch(/^[ -~]{50}$/);
  const [shuffled = ''] = parts('{{shuffle "aaabbbżżż"}}');
  expect([...shuffled].sort().join('')).toBe('aaabbbżżż');
});
