import { describe, expect, it } from 'vitest';
import { Html, html, jsonBlock, visible } from './html.ts';

describe('html', () => {
  it('escapes text, and leaves markup that it made itself', () => {
    const hostile = `</pre><script>alert('x')</script>&"`;
    expect(html`<p title="${hostile}">${html`<b>${1}</b>`}${[hostile, null, false]}</p>`.markup).toBe(
      '<p title="&lt;/pre&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"><b>1</b>' +
        '&lt;/pre&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;</p>',
    );
  });

  it('shows characters that cannot be seen', () => {
    expect(visible('a\u0000b\u001b[31m\tc\nd\r\ne\rf')).toBe('a␀b␛[31m\tc\nd\ne␍f');
    expect(visible('\u202egnp.exe\u200b \u007f\u0085\ufeff')).toBe('⟨U+202E⟩gnp.exe⟨U+200B⟩ ␡⟨U+0085⟩⟨U+FEFF⟩');
    expect(visible('\ud800x😀\udc00')).toBe('⟨U+D800⟩x😀⟨U+DC00⟩');
  });

  it('writes JSON that cannot end its element and reads back the same', () => {
    const value = { text: '</script><!--\u2028&' };
    const { markup } = jsonBlock('data', value);
    const inner = markup.slice(markup.indexOf('>') + 1, markup.lastIndexOf('</script>'));
    expect(inner).not.toMatch(/[<>&]/);
    expect(JSON.parse(inner)).toEqual(value);
  });

  it('takes what another template made only as Html', () => {
    expect(html`${new Html('<i></i>')}${'<i></i>'}`.markup).toBe('<i></i>&lt;i&gt;&lt;/i&gt;');
  });
});
