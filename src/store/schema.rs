//! Table definitions for diesel; `tests/schema.rs` compares them with both databases.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    audit_events (seq) {
        seq -> BigInt,
        at -> TsT,
        actor_role -> Text,
        actor_id -> IdT,
        action -> Text,
        subject -> Text,
        basis -> Text,
        before_hash -> Nullable<Binary>,
        after_hash -> Nullable<Binary>,
        previous -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    outbox (id) {
        id -> IdT,
        topic -> Text,
        payload -> Text,
        created_at -> TsT,
        attempts -> Integer,
        next_at -> TsT,
        done_at -> Nullable<TsT>,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    idempotency_keys (caller, key) {
        caller -> Text,
        key -> Text,
        request_digest -> Binary,
        status -> Integer,
        answer -> Text,
        created_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    accounts (id) {
        id -> IdT,
        kind -> Text,
        opened_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    tokens (hash) {
        hash -> Binary,
        role -> Text,
        party_id -> IdT,
        issued_at -> TsT,
        expires_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    partners (id) {
        id -> IdT,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        registered_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    partner_keys (key_id) {
        key_id -> Text,
        partner_id -> IdT,
        algorithm -> Text,
        material -> Binary,
        valid_from -> TsT,
        revoked_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    methodologies (id) {
        id -> Integer,
        code -> Text,
        version -> Text,
        hash -> Binary,
        document -> Text,
        state -> Text,
        submitted_by -> IdT,
        added_at -> TsT,
        live_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    methodology_signoffs (methodology_id, parameter, reviewer) {
        methodology_id -> Integer,
        parameter -> Text,
        reviewer -> Text,
        basis -> Text,
        signed_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    exchange_rules (id) {
        id -> Integer,
        code -> Text,
        version -> Text,
        hash -> Binary,
        document -> Text,
        effective_from -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    scenes (id) {
        id -> Integer,
        code -> Text,
        partner_id -> IdT,
        name_zh -> Text,
        name_en -> Text,
        adapter -> Text,
        methodology_code -> Text,
        exchange_rule_code -> Text,
        zone -> Text,
        adapter_table -> Nullable<Text>,
        state -> Text,
        opened_at -> TsT,
        adapter_settings -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    subject_links (subject, seq) {
        subject -> Binary,
        seq -> Integer,
        account_id -> IdT,
        linked_at -> TsT,
        partner_id -> Nullable<IdT>,
        from_day -> Integer,
        out_day -> Nullable<Integer>,
        ended_at -> Nullable<TsT>,
        ended_role -> Nullable<Text>,
        ended_by -> Nullable<IdT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    batches (id) {
        id -> IdT,
        scene_id -> Integer,
        received_at -> TsT,
        body_digest -> Binary,
        accepted -> Integer,
        replayed -> Integer,
        refused -> Integer,
        held -> Integer,
        reduction_mg -> BigInt,
        points -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    claims (key) {
        key -> Binary,
        batch_id -> IdT,
        pos -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    behaviours (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        scene_id -> Integer,
        account_id -> Nullable<IdT>,
        source_id -> Text,
        from_at -> TsT,
        to_at -> TsT,
        content -> Text,
        digest -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    reductions (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        account_id -> IdT,
        scene_id -> Integer,
        methodology_id -> Integer,
        day -> Integer,
        mg -> BigInt,
        points -> BigInt,
        exchange_rule_id -> Integer,
        origin_batch -> Nullable<IdT>,
        origin_pos -> Nullable<Integer>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    refusals (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        source_id -> Text,
        code -> Text,
        param -> Nullable<Text>,
        detail -> Text,
        detail_zh -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    held_records (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        subject -> Binary,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    held_releases (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        released_batch -> IdT,
        released_pos -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    lots (account_id, bucket) {
        account_id -> IdT,
        bucket -> Integer,
        available -> BigInt,
        held -> BigInt,
        remainder_mg -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    transfers (id) {
        id -> IdT,
        kind -> Text,
        at -> TsT,
        debits -> BigInt,
        credits -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    entries (account_id, day, transfer_id, bucket) {
        account_id -> IdT,
        day -> Integer,
        transfer_id -> IdT,
        bucket -> Integer,
        available -> BigInt,
        held -> BigInt,
        reduction_mg -> BigInt,
        first_pos -> Integer,
        records -> Integer,
        from_at -> Nullable<TsT>,
        to_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    log_batches (batch_id) {
        batch_id -> IdT,
        leaves -> Binary,
        leaf_count -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    log_queue (batch_id) {
        batch_id -> IdT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    log_sequence (first_index) {
        first_index -> BigInt,
        batch_id -> IdT,
        leaf_count -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    log_tiles (level, tile) {
        level -> Integer,
        tile -> BigInt,
        hashes -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    log_checkpoints (size) {
        size -> BigInt,
        root -> Binary,
        note -> Text,
        signed_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    readings (scene_id, subject, statement, day, batch_id, pos) {
        scene_id -> Integer,
        subject -> Binary,
        statement -> Integer,
        day -> Integer,
        out_day -> Integer,
        batch_id -> IdT,
        pos -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_queue (scene_id, subject, day) {
        scene_id -> Integer,
        subject -> Binary,
        day -> Integer,
        until_day -> Integer,
        due_day -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_results (scene_id, subject, day, seq) {
        scene_id -> Integer,
        subject -> Binary,
        day -> Integer,
        seq -> Integer,
        out_day -> Integer,
        methodology_id -> Integer,
        batch_id -> Nullable<IdT>,
        pos -> Nullable<Integer>,
        mg -> BigInt,
        refusal -> Nullable<Text>,
        digest -> Binary,
        at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_credits (scene_id, subject, day, seq, batch_id, pos) {
        scene_id -> Integer,
        subject -> Binary,
        day -> Integer,
        seq -> Integer,
        batch_id -> IdT,
        pos -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    year_verdicts (scene_id, subject, year, seq) {
        scene_id -> Integer,
        subject -> Binary,
        year -> Integer,
        seq -> Integer,
        excluded -> Integer,
        reason -> Text,
        at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    year_queue (scene_id, subject, year) {
        scene_id -> Integer,
        subject -> Binary,
        year -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    revisions (revised_batch, revised_pos) {
        revised_batch -> IdT,
        revised_pos -> Integer,
        batch_id -> IdT,
        pos -> Integer,
        cancels -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    awaited_records (key) {
        key -> Binary,
        scene_id -> Integer,
        subject -> Binary,
        batch_id -> IdT,
        pos -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    corrections (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        reversed_batch -> IdT,
        reversed_pos -> Integer,
        replaced_batch -> Nullable<IdT>,
        replaced_pos -> Nullable<Integer>,
        owed -> BigInt,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    cap_cuts (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        mg -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    points_owed (account_id) {
        account_id -> IdT,
        points -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    point_recoveries (transfer_id, account_id) {
        transfer_id -> IdT,
        account_id -> IdT,
        points -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    share_statements (subject, seq) {
        subject -> Binary,
        seq -> Integer,
        link_seq -> Integer,
        from_day -> Integer,
        stated_day -> Integer,
        stated_at -> TsT,
        stated_by -> IdT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    subject_shares (subject, seq, account_id) {
        subject -> Binary,
        seq -> Integer,
        account_id -> IdT,
        weight -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    reduction_shares (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        subject -> Binary,
        day -> Integer,
        record_batch -> IdT,
        record_pos -> Integer,
        whole_mg -> BigInt,
        weight -> Integer,
        weights -> Integer,
    }
}

diesel::allow_tables_to_appear_in_same_query!(entries, transfers);
diesel::allow_tables_to_appear_in_same_query!(behaviours, held_records, held_releases, revisions);
diesel::allow_tables_to_appear_in_same_query!(corrections, reduction_shares, reductions);
diesel::allow_tables_to_appear_in_same_query!(entries, reductions);
diesel::allow_tables_to_appear_in_same_query!(log_batches, log_queue);

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    merchants (id) {
        id -> IdT,
        code -> Text,
        name_zh -> Text,
        name_en -> Text,
        registered_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    offers (id) {
        id -> IdT,
        merchant_id -> IdT,
        title_zh -> Text,
        title_en -> Text,
        points -> BigInt,
        settlement_fen -> BigInt,
        stocked -> BigInt,
        stock -> BigInt,
        validity_days -> Integer,
        state -> Text,
        from_at -> TsT,
        to_at -> TsT,
        created_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    vouchers (account_id, id) {
        account_id -> IdT,
        id -> IdT,
        offer_id -> IdT,
        merchant_id -> IdT,
        points -> BigInt,
        settlement_fen -> BigInt,
        code_digest -> Binary,
        client_key -> Nullable<Text>,
        state -> Text,
        created_at -> TsT,
        cancel_until -> TsT,
        expires_at -> TsT,
        hold_id -> IdT,
        closed_at -> Nullable<TsT>,
        closing_id -> Nullable<IdT>,
        used_day -> Nullable<Integer>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    voucher_lots (account_id, voucher_id, bucket) {
        account_id -> IdT,
        voucher_id -> IdT,
        bucket -> Integer,
        points -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(vouchers, voucher_lots);
diesel::joinable!(offers -> merchants (merchant_id));
diesel::allow_tables_to_appear_in_same_query!(offers, merchants);

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    holders (id) {
        id -> IdT,
        kind -> Text,
        code -> Text,
        name -> Text,
        exchange_member -> Nullable<Text>,
        opened_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    monitoring_periods (id) {
        id -> IdT,
        scene_id -> Integer,
        no -> Integer,
        from_day -> Integer,
        to_day -> Integer,
        holder_id -> IdT,
        state -> Text,
        version -> Integer,
        carried_in_mg -> Nullable<BigInt>,
        sum_mg -> Nullable<BigInt>,
        members -> Nullable<BigInt>,
        whole_t -> Nullable<BigInt>,
        root -> Nullable<Binary>,
        accepted_t -> Nullable<BigInt>,
        carried_out_mg -> Nullable<BigInt>,
        opened_by -> IdT,
        opened_at -> TsT,
        closed_by -> Nullable<IdT>,
        closed_at -> Nullable<TsT>,
        verified_by -> Nullable<IdT>,
        verified_at -> Nullable<TsT>,
        issued_by -> Nullable<IdT>,
        issued_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_members (batch_id, pos) {
        batch_id -> IdT,
        pos -> Integer,
        period_id -> IdT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_methodologies (period_id, methodology_id) {
        period_id -> IdT,
        methodology_id -> Integer,
        members -> BigInt,
        sum_mg -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    period_findings (period_id, round) {
        period_id -> IdT,
        round -> Integer,
        finding -> Text,
        raised_by -> IdT,
        raised_at -> TsT,
        answer -> Nullable<Text>,
        answered_by -> Nullable<IdT>,
        answered_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    verification_statements (period_id) {
        period_id -> IdT,
        verifier_id -> IdT,
        recounted_mg -> BigInt,
        accepted_t -> BigInt,
        statement -> Text,
        statement_hash -> Binary,
        stated_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    registry_counters (name) {
        name -> Text,
        last -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    cer_issuances (id) {
        id -> IdT,
        period_id -> IdT,
        series -> Text,
        first_serial -> BigInt,
        last_serial -> BigInt,
        root -> Binary,
        leaf_count -> BigInt,
        holder_id -> IdT,
        issued_by -> IdT,
        issued_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    cer_blocks (id) {
        id -> IdT,
        issuance_id -> IdT,
        first_serial -> BigInt,
        last_serial -> BigInt,
        holder_id -> IdT,
        state -> Text,
        listing_id -> Nullable<IdT>,
        parent_id -> Nullable<IdT>,
        version -> Integer,
        created_at -> TsT,
        changed_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    registry_acts (id) {
        id -> IdT,
        at -> TsT,
        kind -> Text,
        issuance_id -> IdT,
        block_id -> IdT,
        first_serial -> BigInt,
        last_serial -> BigInt,
        from_holder -> Nullable<IdT>,
        to_holder -> Nullable<IdT>,
        trade_id -> Nullable<Text>,
        actor_role -> Text,
        actor_id -> IdT,
        basis -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    retirements (id) {
        id -> IdT,
        block_id -> IdT,
        certificate_no -> Text,
        holder_id -> IdT,
        purpose -> Text,
        beneficiary -> Text,
        claim -> Text,
        first_serial -> BigInt,
        last_serial -> BigInt,
        retired_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    cancellations (id) {
        id -> IdT,
        block_id -> IdT,
        reason -> Text,
        basis -> Text,
        first_serial -> BigInt,
        last_serial -> BigInt,
        cancelled_by -> IdT,
        cancelled_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    listings (id) {
        id -> IdT,
        seller_id -> IdT,
        issuance_id -> IdT,
        quantity_t -> BigInt,
        price_fen -> BigInt,
        filled_t -> BigInt,
        returned_t -> BigInt,
        proceeds_fen -> BigInt,
        state -> Text,
        version -> Integer,
        order_id -> Nullable<Text>,
        refusal -> Nullable<Text>,
        listed_at -> TsT,
        changed_at -> TsT,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    trades (id) {
        id -> Text,
        report_seq -> BigInt,
        order_id -> Text,
        listing_id -> Nullable<IdT>,
        buyer_member -> Text,
        buyer_id -> Nullable<IdT>,
        quantity_t -> BigInt,
        price_fen -> BigInt,
        amount_fen -> BigInt,
        traded_at -> TsT,
        state -> Text,
        incident -> Nullable<Text>,
        settled_at -> Nullable<TsT>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(period_members, reductions);

diesel::allow_tables_to_appear_in_same_query!(period_methodologies, methodologies);
diesel::allow_tables_to_appear_in_same_query!(retirements, cer_blocks, cer_issuances);

diesel::allow_tables_to_appear_in_same_query!(readings, behaviours);
diesel::allow_tables_to_appear_in_same_query!(readings, revisions);

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{IdT, TsT};

    pull_feeds (scene_id) {
        scene_id -> Integer,
        declaration -> Text,
        declared_at -> TsT,
        state -> Text,
        watermark -> TsT,
        next_at -> TsT,
        lease -> Nullable<IdT>,
        failures -> Integer,
        last_error -> Nullable<Text>,
        succeeded_at -> Nullable<TsT>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::TsT;

    pull_runs (scene_id, seq) {
        scene_id -> Integer,
        seq -> BigInt,
        started_at -> TsT,
        ended_at -> TsT,
        range_from -> TsT,
        range_to -> TsT,
        page -> Integer,
        request -> Binary,
        status -> Nullable<Integer>,
        outcome -> Text,
        code -> Nullable<Text>,
        bytes -> BigInt,
        digest -> Nullable<Binary>,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        accepted -> BigInt,
        replayed -> BigInt,
        refused -> BigInt,
        held -> BigInt,
        reduction_mg -> BigInt,
        points -> BigInt,
    }
}
