/** The rooms of the house and the doors between them. */
const modules = ['balance', 'coupon', 'catalog', 'cart', 'order'];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'services-know-nothing-of-their-load',
      severity: 'error',
      from: { path: '^services/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(loadtests|engines)/' },
    },
    {
      name: 'core-and-database-import-no-module',
      severity: 'error',
      from: { path: '^services/(core|database)/' },
      to: { path: `^services/(${modules.join('|')})/` },
    },
    ...modules
      .filter((module) => module !== 'order')
      .map((module) => ({
        name: `${module}-imports-core-and-database-only`,
        severity: 'error',
        from: { path: `^services/${module}/` },
        to: { path: `^services/(${modules.filter((other) => other !== module).join('|')}|app|main)` },
      })),
    {
      name: 'order-calls-what-the-others-export',
      severity: 'error',
      from: { path: '^services/(order/|app\\.ts)' },
      to: { path: '^services/(balance|coupon|catalog|cart)/', pathNot: '/(index|contract)\\.ts$' },
    },
    {
      name: 'app-is-the-top',
      severity: 'error',
      from: { path: '^services/(?!main\\.ts|app\\.ts)' },
      to: { path: '^services/(app|main)\\.ts$' },
    },
    {
      name: 'engines-stand-alone',
      severity: 'error',
      from: { path: '^engines/' },
      to: { path: '^loadtests/|^services/(?!core/)' },
    },
    {
      // Dockerfile copies these, and one file of k6's.
      name: 'the-image-has-what-it-runs',
      severity: 'error',
      from: { path: '^(services|loadtests/(seed|verify))/', pathNot: '\\.test\\.ts$|/fixture\\.ts$' },
      to: {
        path: '^(loadtests|engines|dashboards|charts)/',
        pathNot: '^(engines/running|loadtests/(seed|verify))/|^loadtests/k6/lib/weight\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^k6' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^node_modules|\\.onrush' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
      extensions: ['.ts', '.js', '.cjs'],
    },
  },
};
