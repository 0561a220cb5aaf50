/** CommonJS, because the SDK loads it by `require`, in clients and workers and inside the workflow bundle. */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
