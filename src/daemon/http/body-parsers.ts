import type { FastifyInstance } from 'fastify';

/** JSON for changes and byte streams for contexts; everything else is refused (415), so that no web form can ask for anything. */
export function addBodyParsers(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'string' }, (request, body, done) => {
    // An empty body is none: routes whose body may be left out have defaults.
    if (body === '') done(null, undefined);
    else parse(request, body.toString(), done);
  });
  app.addContentTypeParser(['application/octet-stream', 'application/x-tar'], (_request, stream, done) => done(null, stream));
}
