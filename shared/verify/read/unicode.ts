/** Characters outside ASCII as the LaTeX that means the same. */
const signs: readonly (readonly [RegExp, string])[] = [
  [/[−–—﹣-]/g, '-'],
  [/[×✕]/g, '\\times '],
  [/÷/g, '\\div '],
  [/[·⋅∙•]/g, '\\cdot '],
  [/≤|⩽/g, '\\le '],
  [/≥|⩾/g, '\\ge '],
  [/≠/g, '\\ne '],
  [/[≈≃≅]/g, '\\approx '],
  [/≡/g, '\\equiv '],
  [/∞/g, '\\infty '],
  [/∪/g, '\\cup '],
  [/∩/g, '\\cap '],
  [/∈/g, '\\in '],
  [/[∖⧵]/g, '\\setminus '],
  [/[∅⌀]/g, '\\emptyset '],
  [/∀/g, '\\forall '],
  [/±/g, '\\pm '],
  [/∓/g, '\\mp '],
  [/[°º˚]/g, '^\\circ '],
  [/∛/g, '\\sqrt[3]'],
  [/∜/g, '\\sqrt[4]'],
  [/√/g, '\\sqrt '],
  [/⌊/g, '\\lfloor '],
  [/⌋/g, '\\rfloor '],
  [/⌈/g, '\\lceil '],
  [/⌉/g, '\\rceil '],
  [/[…⋯]/g, '\\ldots '],
  [/½/g, '\\frac{1}{2}'],
  [/¼/g, '\\frac{1}{4}'],
  [/¾/g, '\\frac{3}{4}'],
  [/⅓/g, '\\frac{1}{3}'],
  [/⅔/g, '\\frac{2}{3}'],
  [/⅛/g, '\\frac{1}{8}'],
  [/⅜/g, '\\frac{3}{8}'],
  [/⅝/g, '\\frac{5}{8}'],
  [/⅞/g, '\\frac{7}{8}'],
  [/[‘’′]/g, "'"],
  [/[“”″]/g, '"'],
  [/∠/g, '\\angle '],
  [/△/g, '\\triangle '],
  [/⟨/g, '\\langle '],
  [/⟩/g, '\\rangle '],
  [/[\u00a0\u2000-\u200d\u202f\u205f\u3000\ufeff]/g, ' '],
  [/[€£¥₹₽₩]/g, ''],
  [/→/g, '\\to '],
  [/↦/g, '\\mapsto '],
  [/[⇒⟹]/g, '\\Rightarrow '],
  [/µ/g, '\\mu '],
  [/，/g, ','],
  [/：/g, ':'],
  [/。$/g, ''],
];
const sets: Record<string, string> = { ℝ: 'R', ℤ: 'Z', ℕ: 'N', ℚ: 'Q', ℂ: 'C' };
const greek: Record<string, string> = {
  α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'epsilon', ζ: 'zeta', η: 'eta', θ: 'theta', κ: 'kappa', λ: 'lambda', μ: 'mu',
  ν: 'nu', ξ: 'xi', π: 'pi', ρ: 'rho', σ: 'sigma', τ: 'tau', φ: 'phi', ϕ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega', Γ: 'Gamma',
  Δ: 'Delta', Θ: 'Theta', Λ: 'Lambda', Π: 'Pi', Σ: 'Sigma', Φ: 'Phi', Ψ: 'Psi', Ω: 'Omega',
}; // prettier-ignore
const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const lowered = '₀₁₂₃₄₅₆₇₈₉';

const digits = (run: string, alphabet: string) =>
  [...run]
    .map((c) => (alphabet.includes(c) ? String(alphabet.indexOf(c)) : c === '⁻' ? '-' : c === 'ⁿ' ? 'n' : ''))
    .join('');

export function latexOfUnicode(text: string): string {
  let s = text
    .replace(/[⁺⁻]?[⁰¹²³⁴-⁹ⁿ]+/g, (run) => `^{${digits(run, raised)}}`)
    .replace(/[₀-₉]+/g, (run) => `_{${digits(run, lowered)}}`)
    .replace(/[ℝℤℕℚℂ]/g, (c) => `\\mathbb{${sets[c]}}`)
    .replace(/[Α-ϕ]/g, (c) => (Object.hasOwn(greek, c) ? `\\${greek[c]} ` : c));
  for (const [pattern, latex] of signs) s = s.replace(pattern, latex);
  return s.replace(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
}
