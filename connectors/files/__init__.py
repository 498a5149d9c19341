"""Lines of files: Connect's FileStreamSource and FileStreamSink, and the smallest example of a plugin."""
