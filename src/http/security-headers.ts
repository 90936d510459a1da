import type { HelmetOptions } from 'helmet';

/**
 * What browsers are told. Everything the pages use is ours: no inline script, no inline style, no other host;
 * pictures may be blobs, since the page shows the chosen picture and fetches thumbnails with a key.
 * No HSTS and no upgrade to https: the service speaks plain HTTP, whoever puts TLS before it decides that.
 */
export const SECURITY_HEADERS: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'blob:', 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'self'"],
      'frame-ancestors': ["'none'"],
    },
  },
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
};
