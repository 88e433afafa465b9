"""The figures of a report, one module each: numbers in, a chart with its words out."""
