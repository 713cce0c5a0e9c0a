/** Types of lint-rules.js, which is JavaScript so that ESLint loads it on any Node. */
export declare const projectRules: readonly object[];
