import { describe, expect, it } from 'vitest';
import { markup, paragraphs } from '../../../src/http/markup.js';

describe('markup', () => {
  it('escapes what is put in, and only that', () => {
    expect(markup`<p title="${'"><script>'}">${"a & b's"}</p>`.text).toBe(
      '<p title="&#34;&#62;&#60;script&#62;">a &#38; b&#39;s</p>',
    );
  });

  it('takes markup as it is, and lists of it', () => {
    expect(markup`<ul>${['<a>', 'b'].map((text) => markup`<li>${text}</li>`)}</ul>`.text).toBe(
      '<ul><li>&#60;a&#62;</li>\n<li>b</li></ul>',
    );
  });

  it('makes paragraphs, with code and bold text', () => {
    expect(paragraphs('one `<x>`\nstill **one**\n\ntwo').text).toBe(
      '<p>one <code>&#60;x&#62;</code>\nstill <strong>one</strong></p>\n<p>two</p>',
    );
  });
});
