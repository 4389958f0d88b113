package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"millstream/actors"
)

// telemetryHelp tells of the variables.
const telemetryHelp = `Traces, metrics and log records are sent as the standard variables of OpenTelemetry
say; without them none are made:

  OTEL_EXPORTER_OTLP_ENDPOINT   where a collector listens: http://127.0.0.1:4318
  OTEL_EXPORTER_OTLP_PROTOCOL   http/protobuf (the default) or grpc
  OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOGS_EXPORTER
                                otlp, console or none, for each by itself
  OTEL_TRACES_SAMPLER           which sessions are traced: parentbased_always_on (the
                                default), always_off, or traceidratio with the part
                                of them in OTEL_TRACES_SAMPLER_ARG; messages that are
                                refused, quarantined, slow or fail always are
  OTEL_PROPAGATORS              how filters tell of the trace when they ask other
                                services: tracecontext,baggage (the default), b3,
                                b3multi, jaeger, xray, ottrace or none
  OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
                                what the server is called there
  OTEL_SDK_DISABLED             true switches everything off

A message that comes with a Traceparent header belongs to another trace. With
--trace-trust it is linked to that one if its SMTP client is in such a network, and
traced if that one is. With --trace-insert the next hop can do the same: a message
that is traced gets a Traceparent header of its own, in place of any that it has.

Metrics can also be scraped by Prometheus, from /metrics at the admin address.`

// selfObservation is the variable that has the SDK measure itself: spans that were
// dropped above all.
const selfObservation = "OTEL_GO_X_OBSERVABILITY"

// disabled reports whether everything is switched off.
func disabled() bool {
	return strings.EqualFold(strings.TrimSpace(os.Getenv("OTEL_SDK_DISABLED")), "true")
}

// wanted reports whether a signal, such as "TRACES", is asked for: by an exporter, or
// by the address of a collector.
func wanted(signal string) bool {
	if disabled() {
		return false
	}
	switch os.Getenv("OTEL_" + signal + "_EXPORTER") {
	case "none":
		return false
	case "":
		return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
	}
	return true
}

// describeProgram says who tells all this. What the environment says counts more. The
// arguments of the program are not told.
func describeProgram(ctx context.Context) (*resource.Resource, error) {
	return resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "millstream"), attribute.String("service.version", version())),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithProcessExecutableName(),
		resource.WithProcessRuntimeName(), resource.WithProcessRuntimeVersion(), resource.WithFromEnv())
}

// samplerFor returns the sampler of a name, as the specification of OpenTelemetry has
// them.
func samplerFor(name, arg string) (sdktrace.Sampler, error) {
	name, arg = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(arg)
	base, based := strings.CutPrefix(name, "parentbased_")
	var root sdktrace.Sampler
	switch base {
	case "":
		if based {
			return nil, unknownSampler(name)
		}
		root, based = sdktrace.AlwaysSample(), true
	case "always_on":
		root = sdktrace.AlwaysSample()
	case "always_off":
		root = sdktrace.NeverSample()
	case "traceidratio":
		ratio, err := samplerRatio(arg)
		if err != nil {
			return nil, err
		}
		root = sdktrace.TraceIDRatioBased(ratio)
	default:
		return nil, unknownSampler(name)
	}
	if based {
		root = sdktrace.ParentBased(root)
	}
	return keeper{root}, nil
}

func unknownSampler(name string) error {
	return fmt.Errorf("OTEL_TRACES_SAMPLER: %q is none of always_on, always_off, traceidratio, "+
		"and the same with parentbased_ before it", name)
}

// samplerRatio returns the part that is sampled.
func samplerRatio(arg string) (float64, error) {
	if arg == "" {
		return 1, nil
	}
	ratio, err := strconv.ParseFloat(arg, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG: %q is no number from 0 to 1", arg)
	}
	return ratio, nil
}

// keeper is a sampler that also samples what is to be kept for what became of it, and
// all that belongs to what is sampled.
type keeper struct{ sdktrace.Sampler }

// ShouldSample is [sdktrace.Sampler].
func (k keeper) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	kept := parent.IsValid() && parent.IsSampled() && !parent.IsRemote()
	for i := 0; i < len(p.Attributes) && !kept; i++ {
		kept = p.Attributes[i].Key == actors.KeepAttribute
	}
	if kept {
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample, Tracestate: parent.TraceState()}
	}
	return k.Sampler.ShouldSample(p)
}

// Description is [sdktrace.Sampler].
func (k keeper) Description() string { return "KeepFailed{" + k.Sampler.Description() + "}" }
