import js from "@eslint/js";



// Names of files and classes may contain any characters: text never becomes HTML, and the page's
// content security policy allows no style attributes.
const NEVER = [
  ["MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|srcdoc)$/]", "Use textContent."],
  ["CallExpression[callee.property.name=/^(write|writeln)$/][callee.object.name='document']", "Use elements."],
  ["CallExpression[callee.property.name='setAttribute'][arguments.0.value=/^(style|on.*)$/]", "Use properties."],
  ["CallExpression[callee.name='eval'], NewExpression[callee.name='Function']", "No code from text."],
].map(([selector, message]) => ({ selector, message }));

export default [
  js.configs.recommended,
  {
    files: ["tests/studio/page/*.js", "src/boxwright/*/page/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    rules: {
      "no-undef": "off", // tsc finds them
      "complexity": ["error", 12],
      "max-lines": ["error", 399],
      "eqeqeq": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-console": "error",
      "no-shadow": "error",
      "no-restricted-syntax": ["error", ...NEVER],
    },
  },
];
