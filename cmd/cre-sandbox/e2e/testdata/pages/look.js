// What a person with weak eyes or a small screen can't use of this page: a list of
// sentences. The limits are those of WCAG 2.2, level AA: 1.4.3 (contrast of text),
// 1.4.10 (reflow), 1.4.11 (contrast of what isn't text), 2.5.8 (size of targets).
(() => {
  const problems = []
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a } }
  const over = (top, below) => top.rgb.map((c, i) => c * top.a + below[i] * (1 - top.a))
  const background = e => {
    if (!e) return [255, 255, 255]
    const own = parse(getComputedStyle(e).backgroundColor)
    return own.a === 1 ? own.rgb : over(own, background(e.parentElement))
  }
  const luminance = rgb => {
    const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
    return (light + 0.05) / (dark + 0.05)
  }
  const check = (e, what, colour, behind, least) => {
    const c = contrast(over(parse(colour), behind), behind)
    if (c < least) problems.push(`${e.tagName}: the contrast of ${what} is ${c.toFixed(2)}, not ${least}`)
  }

  let texts = 0
  for (const e of document.body.querySelectorAll('*')) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect()
    if (style.visibility === 'hidden' || box.width === 0 || box.height === 0) continue
    if (box.left < 0 || box.right > innerWidth) problems.push(`${e.tagName} is beyond the window's edge`)
    if (e.tagName !== 'INPUT' && style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1) problems.push(`${e.tagName} is too narrow for what is in it`)
    if (e.value || [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())) {
      texts++
      const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700
      check(e, 'the text', style.color, background(e), large ? 3 : 4.5)
    }
    if (e.tagName === 'svg') check(e, 'the drawing', style.stroke, background(e), 3)
    if (['INPUT', 'BUTTON'].includes(e.tagName)) check(e, 'the edge', style.borderTopColor, background(e.parentElement), 3)
    if (['INPUT', 'BUTTON', 'A'].includes(e.tagName) && (box.height < 24 || box.width < 24)) problems.push(`${e.tagName} is too small to be hit`)
    if (e.tagName === 'INPUT' && e.labels.length === 0) problems.push('an INPUT has no label')
  }
  if (texts < 2) problems.push('there is no text')
  if (document.documentElement.scrollWidth > innerWidth) problems.push('the page is wider than the window')
  if (document.querySelectorAll('h1').length !== 1) problems.push('there is not one heading')
  if (document.querySelectorAll('main').length !== 1) problems.push('there is not one main part')
  if (!document.title || !document.documentElement.lang) problems.push('there is no title or no language')
  return problems
})()
