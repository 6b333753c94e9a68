import { expect, test } from 'vitest';
import { placeBuild } from '../../../src/cli/build/build-place.ts';

test.each([
  ['.', undefined, { root: '/w/app', context: '.', dockerfile: undefined }],
  ['sub', undefined, { root: '/w/app/sub', context: '.', dockerfile: undefined }],
  ['.', 'docker/Dockerfile', { root: '/w/app', context: '.', dockerfile: 'docker/Dockerfile' }],
  ['sub', 'Dockerfile', { root: '/w/app', context: 'sub', dockerfile: 'Dockerfile' }],
  ['.', '../Dockerfile', { root: '/w', context: 'app', dockerfile: 'Dockerfile' }],
  ['/other', 'Dockerfile', { root: '/', context: 'other', dockerfile: 'w/app/Dockerfile' }],
  ['.', '-', { root: '/w/app', context: '.', dockerfile: '-' }],
  ['-', undefined, { root: undefined, context: '-', dockerfile: undefined }],
  ['https://h/r.git#m:d', 'sub/D', { root: undefined, context: 'https://h/r.git#m:d', dockerfile: 'sub/D' }],
])('context %s with Dockerfile %s', (context, file, place) => {
  expect(placeBuild(context, file, '/w/app')).toEqual(place);
});
