/**
 * OpenTelemetry traces, where OTEL_EXPORTER_OTLP_ENDPOINT says where they go: from the command that starts a run through
 * its workflows and activities down to each model call. The exporter reads the standard OTEL_* variables itself.
 */
import { context, trace, SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';
import type { Resource as TracedResource } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';

const tracer = () => trace.getTracer('metaagentx');

export interface Tracing {
  resource: TracedResource;
  processor: SpanProcessor;
  /** Sends what is left. */
  close(): Promise<void>;
}

export const isTraced = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  Boolean(environment.OTEL_EXPORTER_OTLP_ENDPOINT || environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);

/** Null where no endpoint is configured: then spans cost nothing. `service` is this process's name in the traces. */
export async function startTracing(service: string, environment = process.env): Promise<Tracing | null> {
  if (!isTraced(environment)) return null;
  const [
    { BasicTracerProvider, BatchSpanProcessor },
    { Resource },
    { OTLPTraceExporter },
    { AsyncLocalStorageContextManager },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/context-async-hooks'),
  ]);
  const resource = new Resource({
    'service.name': environment.OTEL_SERVICE_NAME ?? service,
    'process.pid': process.pid,
  });
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  return { resource, processor, close: () => provider.shutdown().catch(() => undefined) };
}

/** Where spans belong here and now; for work that another part of the program will call back. */
export const spanPlace = () => context.active();

/** Runs `work` in a span below `place`; a failure is marked and passed on. */
export async function spanned<T>(
  place: ReturnType<typeof spanPlace>,
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer().startSpan(name, { attributes }, place);
  try {
    return await context.with(trace.setSpan(place, span), () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
    throw error;
  } finally {
    span.end();
  }
}
