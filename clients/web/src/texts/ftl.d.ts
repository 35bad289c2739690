declare module '*.ftl' {
  const phrases: import('./phrase.ts').Phrases;
  export default phrases;
}
