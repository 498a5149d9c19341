"""Figures of one task for /metrics: Connect's attributes by name, with `_` for `-` (any thread)."""

from __future__ import annotations

from typing import Any

from replicator.runtime.stats import TaskStats


def measures(stats: TaskStats) -> dict[str, Any]:
    """Further figures for /metrics: Connect's attributes by name, with `_` for `-`."""
    errors = stats.errors
    succeeded = stats.commit_results.average if stats.commit_results.count else 0.0
    source = {
        "source_record_poll_rate": stats.rates_in.rate,
        "source_record_poll_total": stats.records_in,
        "source_record_write_rate": stats.rates_out.rate,
        "source_record_write_total": stats.records_out,
        "poll_batch_max_time_ms": stats.batch_times.greatest,
        "poll_batch_avg_time_ms": stats.batch_times.average,
        **_active(stats, "source"),
    }
    if stats.transactions.count:
        source |= {
            "transaction_size_min": stats.transactions.least,
            "transaction_size_max": stats.transactions.greatest,
            "transaction_size_avg": stats.transactions.average,
        }
    sink = {
        "sink_record_read_rate": stats.rates_in.rate,
        "sink_record_read_total": stats.records_in,
        "sink_record_send_rate": stats.rates_out.rate,
        "sink_record_send_total": stats.records_out,
        "partition_count": stats.partitions or 0,
        "offset_commit_seq_no": stats.commits + stats.commit_failures,
        "offset_commit_completion_rate": stats.commit_times.rate_of_count,
        "offset_commit_completion_total": stats.commits,
        "offset_commit_skip_rate": stats.skips.rate,
        "offset_commit_skip_total": stats.commit_skips,
        "put_batch_max_time_ms": stats.batch_times.greatest,
        "put_batch_avg_time_ms": stats.batch_times.average,
        **_active(stats, "sink"),
    }
    return {
        "source": source,
        "sink": sink,
        "task": {
            "running_ratio": stats.ratio("RUNNING"),
            "pause_ratio": stats.ratio("PAUSED"),
            "offset_commit_max_time_ms": stats.commit_times.greatest,
            "offset_commit_avg_time_ms": stats.commit_times.average,
            "offset_commit_success_percentage": succeeded,
            "offset_commit_failure_percentage": 1.0 - succeeded if stats.commit_results.count else 0.0,
            "batch_size_max": stats.batch_sizes.greatest,
            "batch_size_avg": stats.batch_sizes.average,
        },
        "errors": {
            "total_record_failures": errors.failures,
            "total_record_errors": errors.errors,
            "total_records_skipped": errors.skipped,
            "total_retries": errors.retries,
            "total_errors_logged": errors.logged,
            "deadletterqueue_produce_requests": errors.letters,
            "deadletterqueue_produce_failures": errors.letter_failures,
            "last_error_timestamp": errors.last_ms,
        },
        "info": stats.info,
        "end_to_end_max_ms": stats.end_to_end.greatest if stats.end_to_end.count else None,
        "end_to_end_times": stats.end_to_end_times.to_json() if stats.end_to_end_ms is not None else None,
    }


def _active(stats: TaskStats, kind: str) -> dict[str, float]:
    return {
        f"{kind}_record_active_count": stats.active,
        f"{kind}_record_active_count_max": stats.actives.greatest,
        f"{kind}_record_active_count_avg": stats.actives.average,
    }
