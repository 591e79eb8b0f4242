"""Names of outcomes are known in several languages, and ours and honest ones are none."""

from __future__ import annotations

import pytest

from events.readers.given import PUBLIC, declared
from features.catalogue import CATALOGUE
from training.leak_names import names_outcome, tells_the_past

LEAKS = (
    "chgoff chg_off dlq_12m_fwd closed_dt status_final final_status balance_next_month wrt_off_amt "
    "Ausfall Kündigung_am abgewandert incumplimiento cliente_moroso baja impago défaillance "
    "clôture_compte résiliation 未来余额 次月余额 违约标志 loan_status_after "
    "解約フラグ デフォルト 退会日 翌月残高 貸倒区分 отток_клиента дата_закрытия дефолт 이탈여부 "
    "просрочка_след_мес inadimplência conta_encerrada dt_encerramento saldo_prox_mes 違約金額 "
    "貸後狀態 ChurnFlag FPDFlag DefaultIn12M spendNext90Days next_3m_bal NxtMthDPD acctClsdDt "
    "WO_flag is_left saldo_proximo_mes 贷后状态 insolvenza dflt_ind tgt GoodBadFlag"
)
HONEST = (
    "resilience co_applicant_income dias_mora carried_forward_balance overdue_days Zielgruppe_nr "
    "saldo einkommen ingresos revenu 逾期天数 收入 fwdx months_on_book "
    "next_due_amount days_to_next_payment forward_rate following_count списание_со_счета обороты "
    "saldo_medio renda parcelas 残高 取引回数 延滞日数 잔액 TwoFlag closing_day"
)


@pytest.mark.parametrize("name", LEAKS.split())
def test_what_is_called_like_an_outcome_is_known(name):
    assert names_outcome(name)


@pytest.mark.parametrize("name", HONEST.split())
def test_honest_names_are_none(name):
    assert not names_outcome(name)


def test_no_feature_of_ours_and_no_public_column_has_such_a_name():
    theirs = [n for table in PUBLIC for c in declared(table).columns for n in (c.name, c.column)]
    assert [n for n in (*CATALOGUE.names, *theirs) if names_outcome(n)] == []


def test_a_name_may_say_that_it_tells_the_past():
    for name in ("previous_defaults", "default_history", "历史违约次数", "anterior_impago"):
        assert names_outcome(name), name
        assert tells_the_past(name), name
    assert not tells_the_past("default_flag")
    assert not tells_the_past("prioritised_default")
